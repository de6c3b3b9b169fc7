/**
 * <compare-many data-streams="id,id">: searches and trainings overlaid, family by family. Asked for again while
 * something of it is open.
 */

import { get } from "../api.js";
import { bestFigure, boxesFigure, costFigure, epochsFigure, rewardsFigure, sharesFigure } from "../drawing/compare_figures.js";
import { build, write } from "./build.js";
import "./compare-chart.js";
import { compareLegend } from "./compare-legend.js";
import { compareTable } from "./compare-table.js";

const AGAIN_MS = 5000;
const BEST = { title: "Best so far", variants: [
  { title: "Children", figure: (shown, colours) => bestFigure(shown, "best_by_children", colours) },
  { title: "Compute", figure: (shown, colours) => bestFigure(shown, "best_by_compute", colours) },
  { title: "Clock", figure: (shown, colours) => bestFigure(shown, "best_by_clock", colours) },
] };
const COST = { title: "Best against cost", variants: [
  { title: "Parameters", figure: (shown, colours) => costFigure(shown, "parameters", colours) },
  { title: "Mult-adds", figure: (shown, colours) => costFigure(shown, "mult_adds", colours) },
] };
const SPREAD = { title: "Distribution", variants: [
  { title: "Shares", figure: sharesFigure }, { title: "Boxes", figure: boxesFigure },
] };
const REWARDS = { title: "Rewards", variants: [{ title: "Rewards", figure: rewardsFigure }] };
const SCORES = { title: "Scores", variants: [{ title: "Scores", figure: rewardsFigure }] };
const EPOCHS = { title: "Epoch by epoch", variants: [
  { title: "Held out", figure: (shown, colours) => epochsFigure(shown, "measured", colours) },
  { title: "Loss", figure: (shown, colours) => epochsFigure(shown, "loss", colours) },
] };
const BEST_OF_SHARED = { ...BEST, variants: [{ ...BEST.variants[0], title: "Epochs" }, BEST.variants[1]] };
const CHARTS = {
  children: [BEST, REWARDS, COST, SPREAD], shared: [BEST_OF_SHARED, SCORES, SPREAD], training: [EPOCHS, COST], text: [EPOCHS, COST],
};

class CompareMany extends HTMLElement {
  #timer = null;
  #asked = null;
  #problem = build("p", { class: "action-error", role: "alert" });
  #families = new Map(); // By title: {section, hidden, show}.

  connectedCallback() {
    this.append(this.#problem);
    this.#ask();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#asked?.abort();
    this.#families.clear();
    this.replaceChildren();
  }

  async #ask() {
    this.#asked = new AbortController();
    try {
      const found = await get(`/api/compare?streams=${this.dataset.streams}`, { signal: this.#asked.signal });
      write(this.#problem, "");
      this.querySelector("[data-waits]")?.remove();
      found.families.forEach((family) => this.#show(family));
      if (found.is_open) this.#timer = setTimeout(() => this.#again(), AGAIN_MS);
    } catch (error) {
      if (error.name === "AbortError") return;
      write(this.#problem, error.message);
      this.#timer = setTimeout(() => this.#again(), AGAIN_MS);
    }
  }

  #again() {
    if (document.hidden) this.#timer = setTimeout(() => this.#again(), AGAIN_MS);
    else this.#ask();
  }

  #show(family) {
    if (!this.#families.has(family.title)) this.#families.set(family.title, this.#built(family));
    this.#families.get(family.title)(family);
  }

  /** Builds the section of a family once; returns what shows it anew. */
  #built({ kind, title }) {
    const hidden = new Set();
    let latest = null; // The buttons of the legend outlive an answer.
    const charts = CHARTS[kind].map((chart) => ({ ...chart, node: document.createElement("compare-chart") }));
    const [remark, legend, table, said] = [build("p", { class: "notice" }), build("ul", { class: "compare-legend" }),
      build("div", { class: "table-frame", tabindex: 0, role: "region", "aria-label": "Results and work" }), build("ul", { class: "compare-said" })];
    this.append(build("section", { class: "card compare-family" }, build("h2", {}, title), remark, legend,
      build("div", { class: "compare-charts" }, ...charts.map(({ node }) => node)), build("h3", {}, "Results and work"), table, said));
    const show = (family) => {
      latest = family;
      const lines = family.lines.map((line, place) => ({ ...line, place }));
      write(remark, family.remark);
      remark.hidden = family.remark === "";
      compareLegend(legend, lines, hidden, () => show(latest));
      const on = lines.filter(({ key }) => !hidden.has(key));
      const key = JSON.stringify([[...hidden], lines.map(({ runs }) => runs.map(({ id, done, counted, best, state }) => [id, done, counted, best, state]))]);
      charts.forEach((chart) => chart.node.show(chart.title, chart.variants, { lines: on, family }, key));
      compareTable(table, lines, family);
      said.replaceChildren(...family.sentences.map((text) => build("li", {}, text)));
    };
    return show;
  }
}

customElements.define("compare-many", CompareMany);
