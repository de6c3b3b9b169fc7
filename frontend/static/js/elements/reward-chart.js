/**
 * <reward-chart>: rewards over children; the mean of each step is the main line. A frame drawn with the mouse, or the
 * buttons, show a part of a long search more closely, for which the server is asked.
 */

import { get } from "../api.js";
import { rewardFigure, weighs } from "../drawing/search_figures.js";
import { reward } from "../drawing/format.js";
import { curveNow, isFresh, isSame, isThin, moved, POINTS, within } from "../live/curve.js";
import { searchPaths } from "../live/paths.js";
import { build, write } from "./build.js";
import { legend } from "./chart-legend.js";
import { ChartSurface } from "./chart-surface.js";
import { WhileSeen } from "./while-seen.js";

const TERMS = { entropy: "entropy", band: "95 % of random searches" };
const LEGEND = [
  ["mean of step", "main"], ["moving mean of 20", "mean"], ["best so far", "best"], ["child", "point"],
  ["copied", "copied"], ["failed", "failed"], ["over a bound", "over"], ["entropy", "entropy"],
];
const LEGEND_OF_BAND = [["best of n random children", "random"], ["95 % of random searches", "area"]];
const WAYS = [
  ["in", "Closer"], ["out", "Wider"], ["earlier", "Earlier"], ["later", "Later"], ["all", "Whole search"],
];
const CURVE_MS = 5000;
const REST_MS = 150; // A hand that clicks on is not answered in between.

class RewardChart extends HTMLElement {
  #surface = new ChartSurface(this, ({ state, ...more }, colours) => rewardFigure(state, colours, more), {
    zoomed: (places) => this.#zoomTo(places && within(places, this.#state.total)),
  });
  #state = null;
  #page = null;
  #zoom = null; // [first, last] of the children that are shown; null for all.
  #answer = null; // {zoom, n, curve}: what the server said last, and to which question.
  #bandKey = "";
  #band = []; // Of random search, see the API's comparison.
  #legend = legend(LEGEND, TERMS);
  #words = build("p", { class: "only-read" });
  #shown = build("span", { class: "number small quiet", "aria-live": "polite" });
  #buttons = build("div", { class: "chart-zoom", role: "group", "aria-label": "Which children the chart shows", hidden: true },
    ...WAYS.map(([way, name]) => build("button", { type: "button", class: "button", "data-way": way }, name)), this.#shown);
  #rest = null;
  #asking = new WhileSeen((signal) => this.#ask(signal), {
    pause: CURVE_MS, isWanted: (isSeen) => isSeen && this.#isBehind(),
  });

  connectedCallback() {
    this.append(this.#legend);
    this.#surface.open();
    this.append(this.#buttons, this.#words);
    this.#buttons.addEventListener("click", ({ target }) => this.#move(target.closest("button")?.dataset.way));
    this.#asking.start(this);
  }

  disconnectedCallback() {
    clearTimeout(this.#rest);
    this.#asking.stop();
    this.#surface.close();
    this.replaceChildren();
  }

  render(state, page) {
    this.#state = state;
    this.#page = page;
    this.#buttons.hidden = state.total <= 2 * state.step_size;
    this.#show();
    write(this.#words, described(state));
    this.#asking.plan();
  }

  compare({ band, pool }) {
    if (band.length && !this.#band.length) this.#legend.append(...legend(LEGEND_OF_BAND, TERMS).children);
    this.#band = band;
    this.#bandKey = `${pool} ${band.at(-1)?.place}`;
    this.#show();
  }

  #isBehind() {
    return this.#state !== null && isThin(this.#state) && !isFresh(this.#answer, this.#state, this.#zoom, this.#page.is_replay);
  }

  async #ask(signal) {
    const [zoom, { n }] = [this.#zoom, this.#state];
    const [first, last] = zoom ?? [0, this.#state.total];
    const query = new URLSearchParams({ first, last, points: POINTS, ...(this.#page.is_replay && { at: n }) });
    try {
      const curve = await get(`${searchPaths(this.#page.id).part}?${query}`, { signal });
      this.#answer = { zoom, n, curve };
      this.#show();
    } catch {
      // The state alone is shown, which has every part of the search; the next verdict or zoom asks again.
      if (!signal.aborted) this.#answer = { zoom, n, curve: null };
    }
  }

  #move(way) {
    if (way) this.#zoomTo(way === "all" ? null : moved(this.#zoom, way, this.#state.total));
  }

  #zoomTo(zoom) {
    if (isSame(zoom, this.#zoom)) return;
    this.#zoom = zoom;
    const [first, last] = zoom ?? [];
    write(this.#shown, zoom ? `children ${first.toLocaleString("en")} to ${last.toLocaleString("en")}` : "");
    this.#show(true);
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.#asking.hurry(), REST_MS);
  }

  /** isAsked: by a person, who waits for it. */
  #show(isAsked = false) {
    const { done, steps, updates } = this.#state;
    const answer = this.#answer?.curve && isSame(this.#answer.zoom, this.#zoom) ? this.#answer : null;
    const shown = {
      state: this.#state, band: this.#band, zoom: this.#zoom,
      curve: answer && isThin(this.#state) && this.#isOfNow(answer) ? curveNow(answer, this.#state) : null,
    };
    const key = `${done} ${steps.length} ${updates} ${this.#bandKey} ${this.#zoom} ${answer?.n}`;
    if (isAsked) this.#surface.showNow(shown, key);
    else this.#surface.show(shown, key);
  }

  /** On a replay an answer is of one moment; on a live page what came since is in the state. */
  #isOfNow({ n }) {
    return !this.#page.is_replay || n === this.#state.n;
  }
}

function described(state) {
  const means = state.steps.filter(([, mean]) => mean !== null);
  if (!means.length) return `Chart of rewards: no step of children has ended yet.`;
  return `Chart of rewards: the mean of step ${means[0][0]} is ${reward(means[0][1], weighs(state))}, ` +
    `of step ${means.at(-1)[0]} ${reward(means.at(-1)[1], weighs(state))}.`;
}

customElements.define("reward-chart", RewardChart);
