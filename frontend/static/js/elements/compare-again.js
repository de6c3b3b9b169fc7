/** <compare-again>: the same search with several seeds, or other strategies, as one group; its cost before the start. */

import { newKey, post } from "../api.js";
import { bytes } from "../drawing/format.js";
import { aboutTime } from "../forms/values.js";
import { write } from "./build.js";

const WAIT_MS = 300;

class CompareAgain extends HTMLElement {
  #timer = null;
  #asked = null;
  #key = newKey();
  #form;

  connectedCallback() {
    this.#form = this.querySelector("form");
    this.#form.addEventListener("input", () => this.#changed());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#start();
    });
    this.#estimate();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#asked?.abort();
  }

  #changed() {
    this.#key = newKey(); // Another group than the one before.
    this.#show("Counting what this costs …", false); // Nothing starts before its cost was shown.
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#estimate(), WAIT_MS);
  }

  /** What is asked for, or null while it cannot be: nothing chosen, or a field out of its range. */
  #wanted() {
    const { count, first } = this.#form.elements;
    const strategies = [...this.querySelectorAll('[name="strategy"]:checked')].map(({ value }) => value);
    if (!this.#form.checkValidity() || !strategies.length) return null;
    const seeds = Array.from({ length: Number(count.value) }, (_, place) => Number(first.value) + place);
    return { search: this.dataset.search, seeds, strategies };
  }

  async #estimate() {
    const wanted = this.#wanted();
    this.#asked?.abort();
    this.#asked = new AbortController();
    if (!wanted) return this.#show("Tick a strategy, and ask for 1 to 50 runs of each.", false);
    try {
      const cost = await post("/api/groups/estimate", wanted, { signal: this.#asked.signal });
      this.#show(words(cost), !cost.errors.length && cost.children > 0);
    } catch (error) {
      if (error.name !== "AbortError") this.#show(error.message, false);
    }
  }

  #show(text, canStart) {
    write(this.querySelector("[data-cost]"), text);
    this.querySelector('[type="submit"]').disabled = !canStart;
  }

  async #start() {
    const wanted = this.#wanted();
    if (!wanted) return;
    const button = this.querySelector('[type="submit"]');
    button.disabled = true;
    try {
      const group = await post("/api/groups", wanted, { key: this.#key });
      window.location.assign(group.url);
    } catch (error) {
      button.disabled = false;
      write(this.querySelector("[data-problem]"), error.message);
    }
  }
}

function words(cost) {
  if (cost.errors.length) return cost.errors.map(({ field, message }) => `${field} ${message}`.trim()).join(" ");
  if (!cost.children) return "All of these are in the group already: nothing would be started.";
  const time = cost.seconds === null ? "time unknown until a worker has measured its speed" : aboutTime(cost.seconds);
  return `This starts ${cost.children.toLocaleString("en")} children in all: ${time}, at most ${bytes(cost.disk_bytes)} on disk.`;
}

customElements.define("compare-again", CompareAgain);
