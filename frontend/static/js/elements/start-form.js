/**
 * A start form: presets fill it in, every change asks for the cost, and what the API refuses is said at its field.
 * data-start, data-estimate: paths of the API. JSON inside: #preset-values (configurations by name), #controller-values
 * (parts of them by name), and #extra, which is sent beside the configuration.
 */

import { ApiError, newKey, post } from "../api.js";
import { DataFit } from "./data-fit.js";
import { fillFields, holdsValues, readFields, showBelonging, showErrors } from "./form-fields.js";
import { OwnDefaults } from "./own-defaults.js";

const PAUSE_BEFORE_ESTIMATE = 250; // Milliseconds without a change.
const PAUSE_BEFORE_ASKING_AGAIN = 3000; // Milliseconds, while no worker has measured its speed.

class StartForm extends HTMLElement {
  #presets = {};
  #extra = {};
  #key = newKey(); // One per form, so that pressing start twice starts once.
  #timer = 0;
  #asking = null;
  #listening = null;
  #dataFit = null;
  #ownDefaults = null;

  connectedCallback() {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    this.#presets = this.#json("preset-values");
    this.#extra = this.#json("extra");
    this.#form.addEventListener("input", (event) => this.#changed(event.target), { signal });
    this.#form.addEventListener("submit", (event) => this.#submit(event), { signal });
    this.addEventListener("click", (event) => this.#click(event), { signal });
    // A page that comes back from the browser's memory is a new attempt to start something.
    addEventListener("pageshow", (event) => event.persisted && this.#renew(), { signal });
    this.#dataFit = new DataFit(this);
    this.#ownDefaults = new OwnDefaults(this);
    showBelonging(this);
    this.#openFinalRound();
    this.#estimate();
  }

  disconnectedCallback() {
    this.#listening.abort();
    this.#asking?.abort();
    clearTimeout(this.#timer);
  }

  get #form() {
    return this.querySelector("form");
  }

  #json(id) {
    return JSON.parse(this.querySelector(`#${id}`)?.textContent ?? "{}");
  }

  get #panel() {
    return this.querySelector("cost-panel");
  }

  #changed(field) {
    if (!field.matches("[data-beside]")) this.#noLongerAPreset();
    this.#showController();
    this.#panel.problem("");
    this.#dataFit.changed(field);
    this.#ownDefaults.changed(field);
    showBelonging(this);
    this.#estimateSoon();
  }

  #noLongerAPreset() {
    for (const button of this.querySelectorAll("[data-preset]")) button.setAttribute("aria-pressed", "false");
  }

  #click(event) {
    const preset = event.target.closest("[data-preset]");
    if (preset) this.#fill(preset);
    const controller = event.target.closest("[data-controller]");
    if (controller) this.#fillController(controller);
    if (event.target.closest('[data-action="copy"]')) this.#copy(event.target);
  }

  #fill(button) {
    const config = this.#presets[button.dataset.preset];
    fillFields(this, config);
    this.#dataFit.remember();
    this.#ownDefaults.remember();
    for (const other of this.querySelectorAll("[data-preset]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    this.#panel.problem("");
    this.#panel.wait(); // What stands there is the cost of something else.
    this.#showController();
    showBelonging(this);
    this.#openFinalRound();
    this.#estimate();
  }

  /** Whose controller: strategy and controller are filled in, the rest stays as it is. */
  #fillController(button) {
    fillFields(this, this.#json("controller-values")[button.dataset.controller]);
    this.#ownDefaults.remember();
    this.#noLongerAPreset();
    this.#showController();
    showBelonging(this);
    this.#estimateSoon();
  }

  /** The one whose every number is in the fields is marked. */
  #showController() {
    const values = this.#json("controller-values");
    for (const button of this.querySelectorAll("[data-controller]")) {
      button.setAttribute("aria-pressed", String(holdsValues(this, values[button.dataset.controller])));
    }
  }

  /** Its settings are folded away where there is none; one that was chosen is seen before it is paid for. */
  #openFinalRound() {
    const finalists = this.querySelector('[data-path="finals.children"]');
    const folded = finalists?.closest("details");
    if (folded) folded.open = Number(finalists.value) > 0;
  }

  #body() {
    const { limits: _beside, ...config } = readFields(this);
    return { ...this.#extra, ...this.#beside(), config };
  }

  /** What a start wants to know besides: limits that were given. They are no part of the configuration. */
  #started() {
    const given = Object.entries(readFields(this).limits ?? {}).filter(([, value]) => value !== "");
    return { ...this.#body(), ...(given.length && { limits: Object.fromEntries(given) }) };
  }

  /** Ticks that are sent beside the configuration, where they are there and set. */
  #beside() {
    const ticks = [...this.querySelectorAll("[data-beside]:checked")].filter((tick) => !tick.closest("[hidden]"));
    return Object.fromEntries(ticks.map((tick) => [tick.dataset.beside, true]));
  }

  #estimateSoon() {
    clearTimeout(this.#timer);
    this.#panel.wait();
    this.#timer = setTimeout(() => this.#estimate(), PAUSE_BEFORE_ESTIMATE);
  }

  async #estimate() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    try {
      const cost = await post(this.dataset.estimate, this.#body(), { signal: asking.signal });
      showErrors(this, cost.errors);
      this.#panel.show(cost);
      if (cost.seconds === null && !cost.errors.length) {
        this.#timer = setTimeout(() => this.#estimate(), PAUSE_BEFORE_ASKING_AGAIN);
      }
    } catch (error) {
      if (error.name !== "AbortError") this.#panel.fail(error.message);
    }
  }

  async #submit(event) {
    event.preventDefault();
    this.#disable(true);
    this.#panel.problem("");
    try {
      // Asked first, because a refused start would stand as an error in the browser's console.
      const { errors } = await post(this.dataset.estimate, this.#body());
      if (errors.length) throw new ApiError(422, errors);
      const { url } = await post(this.dataset.start, this.#started(), { key: this.#key });
      location.assign(url);
    } catch (error) {
      this.#disable(false);
      this.#refused(error);
    }
  }

  #disable(isBusy) {
    for (const button of this.querySelectorAll('button[type="submit"]')) button.disabled = isBusy;
  }

  #refused(error) {
    if (error.status === 409) this.#key = newKey(); // What this key started is not what the form says now.
    const elsewhere = showErrors(this, error.errors ?? []);
    const fields = this.querySelectorAll('[aria-invalid="true"]').length;
    const summary = fields ? `Nothing was started: ${fields === 1 ? "one value needs" : `${fields} values need`} a change.` : "";
    this.#panel.problem([summary, ...elsewhere, error.errors ? "" : error.message].filter(Boolean).join(" "));
    const first = this.querySelector('[aria-invalid="true"]');
    first?.focus();
  }

  async #copy(button) {
    await navigator.clipboard.writeText(`${JSON.stringify(this.#body().config, null, 2)}\n`).then(
      () => (button.textContent = "Copied"),
      () => this.#panel.problem("The browser did not allow copying; it asks for https or this machine's own address."),
    );
    setTimeout(() => (button.textContent = "Copy as CONFIG.json"), 2000);
  }

  #renew() {
    this.#key = newKey();
    this.#disable(false);
    this.#estimate();
  }
}

customElements.define("start-form", StartForm);
