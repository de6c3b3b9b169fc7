/**
 * <network-counts>: exact counts of an architecture in the network that its fields describe, asked of the API at every
 * change. JSON inside: #counted (how the API is told which architecture) and #sizes ([title, data, values] to choose).
 */

import { post } from "../api.js";
import { bytes } from "../drawing/format.js";
import { nested } from "../forms/values.js";
import { build, write } from "./build.js";
import { fillFields, readFields, showBelonging, showErrors } from "./form-fields.js";

const PAUSE_IN_TYPING = 150; // Milliseconds without a change; what is not typed asks at once.
const FIGURES = ["parameters", "with_auxiliary", "mult_adds"];
const TRAINING_NAMES = { image_size: "data.image_size" }; // Of values that a training's form has elsewhere.

class NetworkCounts extends HTMLElement {
  #source = {};
  #sizes = [];
  #timer = 0;
  #asking = null;
  #isBehind = false; // The fields changed since the API was asked.
  #listening = null;

  connectedCallback() {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    this.#source = JSON.parse(this.querySelector("#counted").textContent);
    this.#sizes = JSON.parse(this.querySelector("#sizes").textContent);
    this.#form.addEventListener("input", (event) => this.#changed(event.target), { signal });
    this.#form.addEventListener("submit", (event) => event.preventDefault(), { signal });
    this.addEventListener("click", (event) => this.#click(event), { signal });
    this.addEventListener("size-chosen", ({ detail }) => this.#fill(detail), { signal });
    showBelonging(this);
    this.#markSize();
    this.#tell();
  }

  disconnectedCallback() {
    this.#listening.abort();
    this.#asking?.abort();
    clearTimeout(this.#timer);
  }

  /** What the fields describe, as the API reads it. */
  get network() {
    return readFields(this);
  }

  /** From now on another architecture is counted, and these are its counts. */
  edited(source, counts) {
    this.#source = source;
    if (!this.#listening) return; // The script of whoever edits came first; the page was made with these counts.
    this.#show(counts);
    this.#tell();
  }

  get #form() {
    return this.querySelector("form");
  }

  #click(event) {
    const button = event.target.closest("[data-size]");
    if (!button) return;
    this.#fill(this.#sizes[Number(button.dataset.size)][2]);
  }

  #fill(values) {
    fillFields(this, values);
    showBelonging(this);
    this.#markSize();
    this.#tell();
    this.#ask();
  }

  /** control: that was moved, chosen, ticked or typed into. */
  #changed(control) {
    if (control.dataset.slides) fillFields(this, nested([[control.dataset.slides, Number(control.value)]]));
    showBelonging(this);
    this.#tell();
    this.#markSize();
    this.classList.add("is-stale");
    this.#isBehind = true;
    clearTimeout(this.#timer);
    if (!isTyped(control)) this.#ask();
    else this.#timer = setTimeout(() => this.#ask(), PAUSE_IN_TYPING);
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

  /** Sliders, the link to a training, and the elements inside learn what the fields hold now. */
  #tell() {
    const now = readFields(this);
    for (const slider of this.querySelectorAll("[data-slides]")) {
      slider.value = this.querySelector(`[data-path="${slider.dataset.slides}"]`).value;
    }
    const link = this.querySelector("[data-train]");
    if (!link) return;
    link.href = `/trainings/new?${trainingQuery(this.#source, now)}`;
    const detail = { ...this.#source, ...now };
    for (const part of this.querySelectorAll("transfer-chart, budget-fit")) part.network?.(detail);
  }

  /** One question at a time: a slider shows figures while it moves, and the last question is of the fields as they are. */
  async #ask() {
    clearTimeout(this.#timer);
    this.#isBehind = true;
    if (this.#asking) return;
    this.#isBehind = false;
    this.#asking = new AbortController();
    try {
      const body = { ...this.#source, ...readFields(this) };
      this.#show(await post("/api/architectures/describe", body, { signal: this.#asking.signal }));
      this.dispatchEvent(new CustomEvent("network-counted", { bubbles: true }));
    } catch (error) {
      if (error.name !== "AbortError") write(this.querySelector("[data-problem]"), error.message);
    }
    this.#asking = null;
    this.classList.toggle("is-stale", this.#isBehind);
    if (this.#isBehind && this.isConnected) this.#ask();
  }

  #show(counts) {
    const elsewhere = showErrors(this, counts.errors);
    write(this.querySelector("[data-problem]"), elsewhere.join(" "));
    for (const name of FIGURES) write(this.querySelector(`[data-count="${name}"] dd`), grouped(counts[name]));
    const memory = this.querySelector('[data-count="activation_bytes"] dd');
    if (memory) write(memory, bytes(counts.activation_bytes));
    this.querySelector("transfer-chart")?.counted?.(counts);
    this.#showParts(counts.parts);
  }

  /** Rows that say the same stay: a network may have a hundred, of which an edit changes a few. */
  #showParts(parts) {
    const body = this.querySelector(".count-parts tbody");
    const rows = parts.map(row);
    rows.forEach((now, at) => {
      const before = body.children[at];
      if (!before) body.append(now);
      else if (!before.isEqualNode(now)) before.replaceWith(now);
    });
    for (const gone of [...body.children].slice(rows.length)) gone.remove();
  }
}

/** The address of a training's form that is filled with these values; whoever sent an architecture names it later. */
function trainingQuery(source, { layout = {}, ...images }) {
  const { name, id, architecture, ...child } = source;
  const query = new URLSearchParams(name || id ? { architecture: name ?? id } : child);
  for (const [key, value] of Object.entries(layout)) query.set(`layout.${key}`, value);
  for (const [key, path] of Object.entries(TRAINING_NAMES)) query.set(path, images[key]);
  return query;
}

function row({ name, shape, parameters, mult_adds: multAdds }) {
  const number = (text) => build("td", { class: "is-number" }, text);
  const words = name.replaceAll(/[_.]/g, " ");
  return build("tr", {}, build("td", {}, words), number(shape.join(" × ")), number(grouped(parameters)), number(grouped(multAdds)));
}

function isTyped(control) {
  return control.matches("input") && !["range", "checkbox", "radio"].includes(control.type);
}

function grouped(value) {
  return value === null ? "–" : value.toLocaleString("en");
}

function holds(wanted, found) {
  return Object.keys(wanted).every((name) => wanted[name] === found[name]);
}

customElements.define("network-counts", NetworkCounts);
