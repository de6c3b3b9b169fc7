/**
 * <transfer-chart>: test accuracy against cost of this architecture's finished trainings, one data set at a time, and
 * the cost of every number of filters as a light line. A click on a training opens it; so does Enter, after the arrow
 * keys went to it. data-parameters and data-mult-adds: of the network that the page was made with.
 */

import { post } from "../api.js";
import { trainedPoints, transferFigure } from "../drawing/transfer_figure.js";
import { build, write } from "./build.js";
import { ChartSurface } from "./chart-surface.js";
import { PointKeys } from "./point-keys.js";

const PAUSE_BEFORE_ASKING = 250; // Milliseconds without a change.
const HINT = "A click on a point opens its training. By keyboard: arrow keys, then Enter.";
const LABEL = "Test accuracy against cost: arrow keys go from training to training, Enter opens one";

class TransferChart extends HTMLElement {
  #surface = new ChartSurface(this, transferFigure, { clicked: (opened) => opened && open(opened[0]) });
  #keys = new PointKeys({ points: () => this.#points(), moved: () => this.#moved(), open });
  #data = build("select", { class: "input", "aria-label": "Data set", autocomplete: "off" });
  #along = build("select", { class: "input", "aria-label": "Cost", autocomplete: "off" },
    build("option", { value: "parameters" }, "parameters"), build("option", { value: "mult_adds" }, "mult-adds"));
  #words = build("p", { class: "small quiet", role: "status" });
  #point = build("p", { class: "small quiet transfer-point", role: "status" });
  #reply = { curve: [], trained: [], published: [] };
  #now = null;
  #network = null;
  #timer = 0;
  #asking = null;

  connectedCallback() {
    for (const choice of [this.#data, this.#along]) choice.addEventListener("change", () => this.#draw());
    const { parameters, multAdds } = this.dataset;
    if (parameters && this.#now === null) this.#now = { parameters: Number(parameters), mult_adds: Number(multAdds) };
    this.append(build("div", { class: "transfer-choices" }, this.#data, this.#along));
    this.#surface.open();
    this.#keys.attach(this.#plot, LABEL);
    this.append(this.#words, this.#point);
    if (this.#network) this.network(this.#network);
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#surface.close();
    this.replaceChildren();
  }

  get #plot() {
    return this.querySelector(".chart-plot");
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
    const titles = new Map(this.#reply.trained.map(({ data, data_title: title }) => [data, title]));
    const names = [...titles.keys()];
    const chosen = names.includes(this.#data.value) ? this.#data.value : names.at(-1);
    this.#data.replaceChildren(...names.map((name) => build("option", { value: name }, titles.get(name))));
    this.#data.hidden = names.length === 0;
    if (chosen) this.#data.value = chosen;
  }

  get #dataTitle() {
    return this.#data.selectedOptions[0]?.textContent ?? "";
  }

  /** Of the data set that is chosen, cheapest first. */
  #points() {
    return trainedPoints(this.#reply.trained.filter(({ data }) => data === this.#data.value), this.#along.value);
  }

  #moved() {
    this.#draw();
    this.#surface.showNow(this.#state(), JSON.stringify(this.#state()));
  }

  #state() {
    const { curve, published } = this.#reply;
    const [along, chosen] = [this.#along.value, this.#keys.chosen];
    return { curve, published, trained: this.#points(), now: this.#now, along, chosen };
  }

  #draw() {
    const { trained, published } = this.#state();
    this.#surface.show(this.#state(), JSON.stringify(this.#state()));
    this.#plot.tabIndex = trained.length ? 0 : -1;
    const chosen = trained.find(({ key }) => key === this.#keys.chosen);
    write(this.#point, chosen ? `${chosen.words}. Enter opens it.` : trained.length ? HINT : "");
    write(this.#words, (trained.length
      ? `${trained.length} finished ${trained.length === 1 ? "training" : "trainings"} of this architecture on ${this.#dataTitle}, by accuracy on its test images. The light line is the cost of other numbers of filters.`
      : "No training of this architecture is finished. The light line is the cost of other numbers of filters.") + marksInWords(published));
  }
}

/** What the triangles are, for those who cannot point at them. */
function marksInWords(published) {
  if (!published.length) return "";
  const marks = published.toSorted((a, b) => a.parameters - b.parameters);
  const [all, hollow] = [marks, marks.filter((mark) => !mark.is_as_printed)].map((some) =>
    some.map(({ size }) => size).join(", "));
  return ` Triangles are published sizes: ${all}.${hollow ? ` Hollow ones (${hollow}): the released code gives other counts than are printed.` : ""}`;
}

function open(address) {
  window.location.assign(address);
}

customElements.define("transfer-chart", TransferChart);
