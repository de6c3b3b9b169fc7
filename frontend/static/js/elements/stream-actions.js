/**
 * <stream-actions>: pause, resume and stop by way of the API. Its buttons stand in the page's template as
 * data-act="pause"; the page's <dialog> asks before a stop. An error is one sentence beside the buttons.
 */

import { newKey, post } from "../api.js";
import { streamPaths } from "../live/paths.js";
import { write } from "./build.js";
import "./stream-deletion.js";
import "./stream-labels.js";
import "./stream-limits.js";
import "./stream-sharing.js";
import "./stream-priority.js";

const LEADS_TO = { pause: "paused", resume: "running", stop: "stopped" };
const OPEN_TO = { pause: ["running"], resume: ["paused"], stop: ["running", "paused"] };

class StreamActions extends HTMLElement {
  #page = null;
  #state = null;
  #busy = false;
  #clicked = (event) => {
    const action = event.target.closest("[data-act]")?.dataset.act;
    if (action) this.#choose(action);
  };

  connectedCallback() {
    this.addEventListener("click", this.#clicked);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this.#clicked);
  }

  render(state, page) {
    this.#page = page;
    if (state.state !== this.#state) this.#say(""); // What was refused was refused in another state.
    this.#state = state.state;
    this.#show();
  }

  #choose(action) {
    const dialog = this.querySelector("dialog");
    if (action === "ask-stop") dialog.showModal();
    else if (action === "keep") dialog.close();
    else {
      if (dialog.open) dialog.close();
      this.#act(action);
    }
  }

  async #act(action) {
    if (this.#busy) return;
    this.#busy = true;
    this.#show();
    this.#say("");
    try {
      await post(`${streamPaths(this.#page).api}/${action}`, {}, { key: newKey() });
    } catch (error) {
      // Another page may have done the same a moment before; then there is nothing to complain of.
      if (error.status !== 409 || this.#state !== LEADS_TO[action]) this.#say(error.message);
    } finally {
      this.#busy = false;
      this.#show();
    }
  }

  #show() {
    for (const button of this.querySelectorAll("button[data-act]")) {
      const action = button.dataset.act === "ask-stop" ? "stop" : button.dataset.act;
      const fits = OPEN_TO[action]?.includes(this.#state) ?? true;
      if (action in OPEN_TO) button.hidden = !fits;
      button.disabled = this.#busy || !fits;
    }
  }

  #say(sentence) {
    write(this.querySelector("[data-error]"), sentence);
  }
}

customElements.define("stream-actions", StreamActions);
