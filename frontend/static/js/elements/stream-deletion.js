/**
 * <stream-deletion>: deletes the search or training of this page, or what it is asked for. Its dialog says what goes and
 * what stays, as the API has it at that moment. Then the page leaves for the list, or, with data-stays-here, the event
 * "deleted" tells the ids.
 */

import { change, get } from "../api.js";
import { streamPaths } from "../live/paths.js";
import { build, write } from "./build.js";

class StreamDeletion extends HTMLElement {
  #page = null; // What this page shows: {kind, id, name, role}.
  #streams = []; // Of that form: what the dialog asks about.

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

  /** Of a list. What others own cannot be deleted, and is left out with a sentence. */
  ask(streams) {
    this.#streams = streams.filter(({ role }) => role === "owner");
    const left = streams.length - this.#streams.length;
    const [first] = this.#streams;
    write(this.querySelector("[data-title]"), this.#streams.length === 1 ? `Delete “${first.name}” for good?`
      : `Delete these ${this.#streams.length} for good?`);
    this.#open(left ? `${left} more ${left === 1 ? "belongs" : "belong"} to somebody else, who alone can delete.` : "");
  }

  handleEvent(event) {
    const action = event.target.closest("[data-act]")?.dataset.act;
    if (action === "ask") {
      this.#streams = [this.#page];
      this.#open("");
    } else if (action === "keep") this.querySelector("dialog").close();
    else if (action === "delete") this.#delete();
  }

  async #open(remark) {
    const button = this.querySelector('[data-act="delete"]');
    button.disabled = true;
    write(this.querySelector("[data-problem]"), remark);
    for (const place of ["[data-goes]", "[data-stays]"]) this.querySelector(place).replaceChildren();
    this.querySelector("dialog").showModal();
    const streams = this.#streams;
    try {
      const [goes, stays] = [[], []];
      for (const stream of streams) {
        const outlook = await get(`${streamPaths(stream).api}/outlook`);
        const named = (sentence) => (streams.length === 1 ? sentence : `${stream.name}: ${sentence}`);
        goes.push(...outlook.goes.map(named));
        stays.push(...outlook.stays.map(named));
      }
      if (streams !== this.#streams) return; // Something else was asked for meanwhile.
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
    const gone = [];
    try {
      for (const stream of this.#streams) {
        await change("DELETE", streamPaths(stream).api);
        gone.push(stream.id);
      }
      if (this.dataset.staysHere === undefined) location.assign("/");
      else this.querySelector("dialog").close();
    } catch (error) {
      write(this.querySelector("[data-problem]"), error.message);
      this.#streams = this.#streams.filter(({ id }) => !gone.includes(id));
      button.disabled = false;
    }
    if (gone.length) this.dispatchEvent(new CustomEvent("deleted", { detail: gone, bubbles: true }));
  }
}

customElements.define("stream-deletion", StreamDeletion);
