/**
 * <transfer-chart>: test accuracy against cost of this architecture's finished trainings, one data set at a time, and
 * the cost of every number of filters as a light line.
 */

import { post } from "../api.js";
import { transferFigure } from "../drawing/transfer_figure.js";
import { build, write } from "./build.js";
import { ChartSurface } from "./chart-surface.js";

const PAUSE_BEFORE_ASKING = 250; // Milliseconds without a change.

class TransferChart extends HTMLElement {
  #surface = new ChartSurface(this, transferFigure);
  #data = build("select", { class: "input", "aria-label": "Data set", autocomplete: "off" });
  #along = build("select", { class: "input", "aria-label": "Cost", autocomplete: "off" },
    build("option", { value: "parameters" }, "parameters"), build("option", { value: "mult_adds" }, "mult-adds"));
  #words = build("p", { class: "small quiet", role: "status" });
  #reply = { curve: [], trained: [], published: [] };
  #now = null;
  #network = null;
  #timer = 0;
  #asking = null;

  connectedCallback() {
    for (const choice of [this.#data, this.#along]) choice.addEventListener("change", () => this.#draw());
    this.append(build("div", { class: "transfer-choices" }, this.#data, this.#along));
    this.#surface.open();
    this.append(this.#words);
    if (this.#network) this.network(this.#network);
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#surface.close();
    this.replaceChildren();
  }

  network(network) {
    this.#network = network;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), PAUSE_BEFORE_ASKING);
  }

  /** The counts of the network that the fields hold. */
  counted({ parameters, mult_adds }) {
    this.#now = parameters === null ? null : { parameters, mult_adds };
    this.#draw();
  }

  async #ask() {
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    try {
      const reply = await post("/api/architectures/transfer", this.#network, { signal: asking.signal });
      if (reply.errors.length) return; // The counts beside say what is wrong.
      this.#reply = reply;
      this.#offerData();
      this.#draw();
    } catch (error) {
      if (error.name !== "AbortError") write(this.#words, error.message);
    }
  }

  #offerData() {
    const names = [...new Set(this.#reply.trained.map(({ data }) => data))];
    const chosen = names.includes(this.#data.value) ? this.#data.value : names.at(-1);
    this.#data.replaceChildren(...names.map((name) => build("option", { value: name }, name)));
    this.#data.hidden = names.length === 0;
    if (chosen) this.#data.value = chosen;
  }

  #draw() {
    const trained = this.#reply.trained.filter(({ data }) => data === this.#data.value);
    const { curve, published } = this.#reply;
    const state = { curve, published, trained, now: this.#now, along: this.#along.value, data: this.#data.value };
    this.#surface.show(state, JSON.stringify(state));
    const marks = published.length ? " Triangles are published sizes, hollow where the released code gives other counts than are printed." : "";
    write(this.#words, (trained.length
      ? `${trained.length} finished ${trained.length === 1 ? "training" : "trainings"} of this architecture on ${this.#data.value}, by accuracy on its test images. The light line is the cost of other numbers of filters.`
      : "No training of this architecture is finished. The light line is the cost of other numbers of filters.") + marks);
  }
}

customElements.define("transfer-chart", TransferChart);
