/**
 * <network-counts>: exact counts of an architecture in the network that its fields describe, asked of the API at every
 * change. JSON inside: #counted (how the API is told which architecture) and #sizes ([title, data, values] to choose).
 */

import { post } from "../api.js";
import { build, write } from "./build.js";
import { fillFields, readFields, showBelonging, showErrors } from "./form-fields.js";

const PAUSE_BEFORE_ASKING = 150; // Milliseconds without a change.
const FIGURES = ["parameters", "with_auxiliary", "mult_adds"];

class NetworkCounts extends HTMLElement {
  #source = {};
  #sizes = [];
  #timer = 0;
  #asking = null;
  #listening = null;

  connectedCallback() {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    this.#source = JSON.parse(this.querySelector("#counted").textContent);
    this.#sizes = JSON.parse(this.querySelector("#sizes").textContent);
    this.#form.addEventListener("input", () => this.#changed(), { signal });
    this.#form.addEventListener("submit", (event) => event.preventDefault(), { signal });
    this.addEventListener("click", (event) => this.#click(event), { signal });
    showBelonging(this);
    this.#markSize();
  }

  disconnectedCallback() {
    this.#listening.abort();
    this.#asking?.abort();
    clearTimeout(this.#timer);
  }

  get #form() {
    return this.querySelector("form");
  }

  #click(event) {
    const button = event.target.closest("[data-size]");
    if (!button) return;
    fillFields(this, this.#sizes[Number(button.dataset.size)][2]);
    showBelonging(this);
    this.#markSize();
    this.#ask();
  }

  #changed() {
    showBelonging(this);
    this.#markSize();
    this.classList.add("is-stale");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), PAUSE_BEFORE_ASKING);
  }

  /** The button of the size that the fields hold is pressed. */
  #markSize() {
    const now = readFields(this);
    for (const button of this.querySelectorAll("[data-size]")) {
      const { layout, ...images } = this.#sizes[Number(button.dataset.size)][2];
      const isThis = now.layout && holds(images, now) && Object.keys(now.layout).every((name) => now.layout[name] === layout[name]);
      button.setAttribute("aria-pressed", String(isThis));
    }
  }

  async #ask() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    try {
      const body = { ...this.#source, ...readFields(this) };
      this.#show(await post("/api/architectures/describe", body, { signal: asking.signal }));
    } catch (error) {
      if (error.name === "AbortError") return;
      this.classList.remove("is-stale");
      write(this.querySelector("[data-problem]"), error.message);
    }
  }

  #show(counts) {
    this.classList.remove("is-stale");
    const elsewhere = showErrors(this, counts.errors);
    write(this.querySelector("[data-problem]"), elsewhere.join(" "));
    for (const name of FIGURES) write(this.querySelector(`[data-count="${name}"] dd`), grouped(counts[name]));
    this.querySelector("tbody").replaceChildren(...counts.parts.map(row));
  }
}

function row({ name, shape, parameters, mult_adds: multAdds }) {
  const number = (text) => build("td", { class: "is-number" }, text);
  const words = name.replaceAll(/[_.]/g, " ");
  return build("tr", {}, build("td", {}, words), number(shape.join(" × ")), number(grouped(parameters)), number(grouped(multAdds)));
}

function grouped(value) {
  return value === null ? "–" : value.toLocaleString("en");
}

function holds(wanted, found) {
  return Object.keys(wanted).every((name) => wanted[name] === found[name]);
}

customElements.define("network-counts", NetworkCounts);
