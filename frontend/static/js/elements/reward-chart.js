/** <reward-chart>: rewards over children; the mean of each step is the main line. */

import { rewardFigure, weighs } from "../drawing/search_figures.js";
import { reward } from "../drawing/format.js";
import { build, write } from "./build.js";
import { legend } from "./chart-legend.js";
import { ChartSurface } from "./chart-surface.js";

const LEGEND = [
  ["mean of step", "main"], ["moving mean of 20", "mean"], ["best so far", "best"], ["child", "point"],
  ["copied", "copied"], ["failed", "failed"], ["over a bound", "over"], ["entropy", "entropy"],
];
const LEGEND_OF_BAND = [["best of n random children", "random"], ["95 % of random searches", "area"]];

class RewardChart extends HTMLElement {
  #surface = new ChartSurface(this, ({ state, band }, colours) => rewardFigure(state, colours, band));
  #state = null;
  #bandKey = "";
  #band = []; // Of random search, see the API's comparison.
  #legend = legend(LEGEND);
  #words = build("p", { class: "only-read" });

  connectedCallback() {
    this.append(this.#legend);
    this.#surface.open();
    this.append(this.#words);
  }

  disconnectedCallback() {
    this.#surface.close();
    this.replaceChildren();
  }

  render(state) {
    this.#state = state;
    this.#show();
    write(this.#words, described(state));
  }

  compare({ band, pool }) {
    if (band.length && !this.#band.length) this.#legend.append(...legend(LEGEND_OF_BAND).children);
    this.#band = band;
    this.#bandKey = `${pool} ${band.at(-1)?.place}`;
    this.#show();
  }

  #show() {
    const { done, steps, updates } = this.#state;
    this.#surface.show({ state: this.#state, band: this.#band }, `${done} ${steps.length} ${updates} ${this.#bandKey}`);
  }
}

function described(state) {
  const means = state.steps.filter(([, mean]) => mean !== null);
  if (!means.length) return `Chart of rewards: no step of children has ended yet.`;
  return `Chart of rewards: the mean of step ${means[0][0]} is ${reward(means[0][1], weighs(state))}, ` +
    `of step ${means.at(-1)[0]} ${reward(means.at(-1)[1], weighs(state))}.`;
}

customElements.define("reward-chart", RewardChart);
