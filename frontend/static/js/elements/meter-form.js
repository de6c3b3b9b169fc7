/**
 * <meter-form>: how many networks the honesty meter trains, for how many epochs, and how long that takes. What it was
 * told by the API it hands on as the event "asked".
 */

import { get, newKey, post } from "../api.js";
import { duration } from "../drawing/format.js";
import { build, write } from "./build.js";
import { sentence } from "./form-fields.js";

const PAUSE_BEFORE_ASKING = 300; // Milliseconds without typing.
const MOST_EPOCHS = 2000;

class MeterForm extends HTMLElement {
  #api = "";
  #limits = null;
  #timer = 0;
  #asking = null;
  #key = newKey();
  #parts = null;

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#parts = null;
    this.replaceChildren();
  }

  /** meter: as the API tells it; api: its address. What was typed stays. */
  offer(meter, api) {
    this.#api = api;
    const isNew = !this.#parts;
    this.#limits = { networks: [meter.fewest, meter.most], epochs: [1, MOST_EPOCHS] };
    if (isNew) this.#lay(meter);
    write(this.#parts.title, meter.networks.length ? "More networks, or another number of epochs" : "");
    this.#parts.title.hidden = !meter.networks.length;
    this.#weighSoon();
  }

  #lay(meter) {
    const { networks: [fewest, most] } = this.#limits;
    const usual = Math.min(Math.max(meter.usual, meter.networks.length), most);
    this.#parts = {
      title: build("h3", {}),
      networks: field("networks", "Networks", usual, `From ${fewest} to ${most}. With few networks the interval is wide.`),
      epochs: field("epochs", "Epochs each", meter.epochs, "More of them come closer to what a long training gives."),
      cost: build("p", { class: "small quiet", role: "status" }),
      button: build("button", { class: "button is-main", type: "submit" }, "Train them from scratch"),
      problem: build("p", { class: "field-error", role: "alert" }),
    };
    const { title, networks, epochs, cost, button, problem } = this.#parts;
    const form = build("form", { novalidate: true }, title, build("div", { class: "meter-fields" }, networks, epochs),
      build("div", { class: "meter-send" }, button, cost), problem);
    form.addEventListener("submit", (event) => this.#send(event));
    form.addEventListener("input", () => this.#weighSoon());
    this.replaceChildren(form);
  }

  /** {networks, epochs} as they are typed, or null where one of them is wrong, which is said there. */
  #read() {
    const read = Object.entries(this.#limits).map(([name, limits]) => [name, this.#number(name, limits)]);
    return read.every(([, value]) => value !== null) ? Object.fromEntries(read) : null;
  }

  #number(name, [low, high]) {
    const text = this.#parts[name].querySelector("input").value.trim();
    const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    const isRight = value >= low && value <= high;
    this.#tell(name, isRight ? "" : `must be a whole number from ${low} to ${high.toLocaleString("en")}.`);
    return isRight ? value : null;
  }

  #tell(name, message) {
    const input = this.#parts[name].querySelector("input");
    if (message) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    write(this.#parts[name].querySelector(".field-error"), sentence(message));
  }

  #weighSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#weigh(), PAUSE_BEFORE_ASKING);
  }

  async #weigh() {
    const wanted = this.#read();
    write(this.#parts.problem, "");
    if (!wanted) return write(this.#parts.cost, "");
    this.#parts.button.disabled = false;
    this.#asking?.abort();
    const { signal } = (this.#asking = new AbortController());
    try {
      const { networks, seconds, errors } = await get(`${this.#api}/cost?${new URLSearchParams(wanted)}`, { signal });
      this.#tellAll(errors);
      write(this.#parts.cost, errors.length ? "" : costInWords(networks, seconds));
      this.#parts.button.disabled = networks === 0 || errors.length > 0;
    } catch (error) {
      if (error.name !== "AbortError") write(this.#parts.cost, "");
    }
  }

  async #send(event) {
    event.preventDefault();
    const wanted = this.#read();
    if (!wanted) return;
    const { button, problem } = this.#parts;
    button.disabled = true;
    write(problem, "");
    try {
      const meter = await post(this.#api, wanted, { key: this.#key });
      this.#key = newKey();
      this.dispatchEvent(new CustomEvent("asked", { detail: meter }));
      this.#weigh();
    } catch (error) {
      button.disabled = false;
      this.#tellAll(error.errors ?? [{ field: "", message: error.message }]);
    }
  }

  #tellAll(errors) {
    for (const { field: name, message } of errors) {
      if (name in this.#limits) this.#tell(name, message);
      else write(this.#parts.problem, message);
    }
  }
}

function costInWords(networks, seconds) {
  if (networks === 0) return "All of these are there already.";
  const count = networks === 1 ? "1 network" : `${networks} networks`;
  if (seconds === null) return `Starts ${count}. No worker has measured its speed yet, so nobody knows for how long.`;
  return `Starts ${count}, about ${duration(seconds)} on the workers that are here.`;
}

function field(name, label, value, help) {
  const id = `meter-${name}`;
  return build("div", { class: "field" },
    build("label", { class: "field-label", for: id }, label),
    build("input", { class: "input is-number", id, type: "text", inputmode: "numeric", autocomplete: "off", value,
      "aria-describedby": `${id}-help ${id}-error` }),
    build("p", { class: "field-help", id: `${id}-help` }, help), build("p", { class: "field-error", id: `${id}-error` }));
}

customElements.define("meter-form", MeterForm);
