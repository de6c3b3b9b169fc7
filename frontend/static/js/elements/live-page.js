/**
 * <live-page>: holds a live page together. Reads the page's JSON ("state", "page"), keeps the state up to date and
 * hands it to every element inside that is marked with data-live, by calling render(state, page, status) on it. On a
 * replay the state is the one after the event that its bar stands at.
 */

import { streamPaths } from "../live/paths.js";
import { Player } from "../live/player.js";
import { Store } from "../live/store.js";
import "./replay-bar.js";
import "./workers-then.js";

class LivePage extends HTMLElement {
  #store = null;

  connectedCallback() {
    const state = readJson("state");
    const page = readJson("page");
    if (page.is_replay) {
      this.#replay(state, page);
      return;
    }
    const { socket, events } = streamPaths(page);
    this.#store = new Store({
      state, path: socket, eventsPath: events,
      draw: (newest, status) => this.#draw(newest, page, status),
    });
    this.#draw(state, page, "connecting");
    this.#store.open();
  }

  disconnectedCallback() {
    this.#store.close();
    this.#store = null;
  }

  #replay(state, page) {
    const draw = (shown) => {
      if (shown.n > 0) this.#draw(shown, page, "replay"); // Before its first event a stream has nothing to show.
    };
    this.#store = new Player({ state, page, draw });
    this.querySelector("replay-bar").drive(this.#store, streamPaths(page).page);
    this.#store.open();
  }

  #draw(state, page, status) {
    for (const element of this.querySelectorAll("[data-live]")) element.render(state, page, status);
  }
}

function readJson(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

customElements.define("live-page", LivePage);
