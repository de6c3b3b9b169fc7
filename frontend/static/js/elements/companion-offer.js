/** The offer to run random search beside a search: a button, what it starts, and what went wrong. */

import { newKey, post } from "../api.js";
import { build, write } from "./build.js";

export class CompanionOffer {
  #api = null;
  #key = newKey(); // One for the page, so that two clicks start one companion.
  #button = build("button", { class: "button", type: "button", hidden: true }, "Compare with random search");
  #hint = build("p", { class: "small quiet", hidden: true });
  #problem = build("p", { class: "action-error small", role: "alert" });
  nodes = [this.#button, this.#hint, this.#problem];

  constructor() {
    this.#button.addEventListener("click", () => this.#start());
  }

  /** api: of the search; hint: what a click starts. */
  show(isOffered, api, hint) {
    this.#api = api;
    this.#button.hidden = this.#hint.hidden = !isOffered;
    write(this.#hint, hint);
  }

  async #start() {
    this.#button.disabled = true;
    write(this.#problem, "");
    try {
      await post(`${this.#api}/companion`, {}, { key: this.#key });
      location.reload();
    } catch (error) {
      this.#button.disabled = false;
      write(this.#problem, error.message);
    }
  }
}
