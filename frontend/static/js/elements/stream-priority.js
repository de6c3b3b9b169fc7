/** <stream-priority>: the menu that lets the search or training of this page go first, or later than others. */

import { change } from "../api.js";
import { streamPaths } from "../live/paths.js";
import { write } from "./build.js";

class StreamPriority extends HTMLElement {
  #page = null;
  #kept = null; // What the server has.

  connectedCallback() {
    this.#kept = this.#menu.value;
    this.addEventListener("change", this);
  }

  disconnectedCallback() {
    this.removeEventListener("change", this);
  }

  get #menu() {
    return this.querySelector("select");
  }

  render(state, page) {
    this.#page = page;
    this.hidden = state.state !== "running" && state.state !== "paused"; // What has ended waits for nobody.
  }

  async handleEvent() {
    const problem = this.querySelector("[data-problem]");
    write(problem, "");
    this.#menu.disabled = true;
    try {
      const { priority } = await change("PATCH", streamPaths(this.#page).api, { priority: this.#menu.value });
      this.#kept = priority;
    } catch (error) {
      this.#menu.value = this.#kept;
      write(problem, error.message);
    } finally {
      this.#menu.disabled = false;
    }
  }
}

customElements.define("stream-priority", StreamPriority);
