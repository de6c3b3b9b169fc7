/**
 * <stream-limits>: changes the limits of the search of this page. Its dialog shows what is in force and what a change
 * would do; what is refused is said at its field. What is sent shows when the event of the change comes.
 */

import { newKey, post } from "../api.js";
import {
  hoursNote, limitsInForce, limitsInShort, limitsToSend, totalIsOpen, totalName, totalNote,
} from "../drawing/limit_words.js";
import { now } from "../live/now.js";
import { streamPaths } from "../live/paths.js";
import { write } from "./build.js";

const OPEN = ["running", "paused"];

class StreamLimits extends HTMLElement {
  #page = null;
  #state = null;

  connectedCallback() {
    this.addEventListener("click", this);
    this.addEventListener("submit", this);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this);
    this.removeEventListener("submit", this);
  }

  get #dialog() {
    return this.querySelector("dialog");
  }

  get #fields() {
    return [...this.querySelectorAll("input")];
  }

  render(state, page) {
    this.#page = page;
    this.#state = state;
    this.hidden = !OPEN.includes(state.state);
    write(this.querySelector("[data-in-short]"), limitsInShort(state));
    if (this.#dialog.open) this.#tell();
  }

  handleEvent(event) {
    const action = event.target.closest("[data-act]")?.dataset.act;
    if (event.type === "submit") {
      event.preventDefault();
      this.#send();
    } else if (action === "ask") this.#ask();
    else if (action === "keep") this.#dialog.close();
  }

  #ask() {
    const inForce = limitsInForce(this.#state);
    for (const field of this.#fields) field.value = inForce[field.name] ?? "";
    this.#complain([]);
    this.#tell();
    this.#dialog.showModal();
  }

  /** What a change would do now; it may change while somebody types. */
  #tell() {
    this.querySelector(`[name="${totalName(this.#state)}"]`).disabled = !totalIsOpen(this.#state);
    write(this.querySelector("[data-total-note]"), totalNote(this.#state));
    write(this.querySelector("[data-hours-note]"), hoursNote(this.#state, now()));
  }

  async #send() {
    const total = totalName(this.#state);
    const wanted = limitsToSend(this.#state, Object.fromEntries(this.#fields.map(({ name, value }) => [name, value])));
    if (wanted[total] === null) return this.#complain([{ field: total, message: "is empty; must be a whole number." }]);
    this.#complain([]);
    const button = this.querySelector("[type=submit]");
    button.disabled = true;
    try {
      await post(`${streamPaths(this.#page).api}/limits`, wanted, { key: newKey() });
      this.#dialog.close();
    } catch (error) {
      this.#complain(error.errors);
    } finally {
      button.disabled = false;
    }
  }

  #complain(errors) {
    const at = (name) => errors.filter(({ field }) => field === name).map(({ message }) => message).join(" ");
    const names = this.#fields.map(({ name }) => name);
    for (const field of this.#fields) {
      const message = at(field.name);
      field.setAttribute("aria-invalid", String(message !== ""));
      write(this.querySelector(`#limit-${field.name}-problem`), message && message[0].toUpperCase() + message.slice(1));
    }
    const elsewhere = errors.filter(({ field }) => !names.includes(field));
    write(this.querySelector("[data-problem]"), elsewhere.map(({ message }) => message).join(" "));
    this.#fields.find(({ name }) => at(name) !== "")?.focus();
  }
}

customElements.define("stream-limits", StreamLimits);
