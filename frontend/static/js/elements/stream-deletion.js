/**
 * <stream-deletion>: deletes the search or training of this page. Its dialog says what goes and what stays, as the API
 * has it at that moment; then the page leaves for the list.
 */

import { change, get } from "../api.js";
import { streamPaths } from "../live/paths.js";
import { build, write } from "./build.js";

class StreamDeletion extends HTMLElement {
  #page = null;

  connectedCallback() {
    this.addEventListener("click", this);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this);
  }

  render(state, page) {
    this.#page = page;
    const ask = this.querySelector('[data-act="ask"]');
    ask.disabled = state.state === "deleting"; // Somebody did it already.
    write(ask, ask.disabled ? "Being deleted" : "Delete");
  }

  handleEvent(event) {
    const action = event.target.closest("[data-act]")?.dataset.act;
    if (action === "ask") this.#ask();
    else if (action === "keep") this.querySelector("dialog").close();
    else if (action === "delete") this.#delete();
  }

  async #ask() {
    const button = this.querySelector('[data-act="delete"]');
    button.disabled = true;
    write(this.querySelector("[data-problem]"), "");
    this.querySelector("dialog").showModal();
    try {
      const { goes, stays } = await get(`${streamPaths(this.#page).api}/outlook`);
      this.#list("[data-goes]", goes);
      this.#list("[data-stays]", stays);
      this.querySelector("[data-staying]").hidden = stays.length === 0;
      button.disabled = false;
    } catch (error) {
      write(this.querySelector("[data-problem]"), error.message);
    }
  }

  #list(place, sentences) {
    this.querySelector(place).replaceChildren(...sentences.map((sentence) => build("li", {}, sentence)));
  }

  async #delete() {
    const button = this.querySelector('[data-act="delete"]');
    button.disabled = true;
    try {
      await change("DELETE", streamPaths(this.#page).api);
      location.assign("/");
    } catch (error) {
      write(this.querySelector("[data-problem]"), error.message);
      button.disabled = false;
    }
  }
}

customElements.define("stream-deletion", StreamDeletion);
