/** <reward-chart>: rewards over children; the mean of each step is the main line. */

import { rewardFigure } from "../drawing/search_figures.js";
import { percent } from "../drawing/format.js";
import { build, write } from "./build.js";
import { legend } from "./chart-legend.js";
import { ChartSurface } from "./chart-surface.js";

const LEGEND = [
  ["mean of step", "main"], ["moving mean of 20", "mean"], ["best so far", "best"], ["child", "point"],
  ["copied", "copied"], ["failed", "failed"], ["entropy", "entropy"],
];

class RewardChart extends HTMLElement {
  #surface = new ChartSurface(this, rewardFigure);
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
    this.#surface.show(state, `${state.done} ${state.steps.length} ${state.updates}`);
    write(this.#words, described(state));
  }
}

function described(state) {
  const means = state.steps.filter(([, mean]) => mean !== null);
  if (!means.length) return `Chart of rewards: no step of children has ended yet.`;
  return `Chart of rewards: the mean of step ${means[0][0]} is ${percent(means[0][1])}, ` +
    `of step ${means.at(-1)[0]} ${percent(means.at(-1)[1])}.`;
}

customElements.define("reward-chart", RewardChart);
