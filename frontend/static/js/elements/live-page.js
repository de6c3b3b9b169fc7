/**
 * <live-page>: holds a live page together. Reads the page's JSON ("state", "page"), keeps the state up to date and
 * hands it to every element inside that is marked with data-live, by calling render(state, page, status) on it.
 */

import { streamPaths } from "../live/paths.js";
import { Store } from "../live/store.js";

class LivePage extends HTMLElement {
  #store = null;

  connectedCallback() {
    const state = readJson("state");
    const page = readJson("page");
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

  #draw(state, page, status) {
    for (const element of this.querySelectorAll("[data-live]")) element.render(state, page, status);
  }
}

function readJson(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

customElements.define("live-page", LivePage);
