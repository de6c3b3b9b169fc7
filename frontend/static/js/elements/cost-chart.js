/**
 * <cost-chart>: accuracy against parameters, mult-adds or measured latency, and the children that no cheaper one
 * reaches. A click on a point opens its cell; so does Enter, after the arrow keys went to it.
 */

import { childrenOver, costedChildren, costFigure, knownAxes } from "../drawing/cost_figure.js";
import { AXIS_TITLES } from "../drawing/cost_words.js";
import { searchPaths } from "../live/paths.js";
import { placeOf } from "../live/places.js";
import { AXES } from "../live/state.js";
import { build, write } from "./build.js";
import { legend } from "./chart-legend.js";
import { ChartSurface } from "./chart-surface.js";
import { PointKeys } from "./point-keys.js";

const HINT = "A click on a point opens its cell. By keyboard: arrow keys, then Enter.";

class CostChart extends HTMLElement {
  #state = null;
  #page = null;
  #along = AXES[0];
  #legend = legend([["child", "point"], ["no cheaper child is as accurate", "main"], ["over a bound", "over"]]);
  #switch = build("div", { class: "switch cost-axes", role: "group", "aria-label": "Which cost" });
  #words = build("p", { class: "small quiet cost-words", role: "status", "aria-live": "polite" }, HINT);
  #surface = new ChartSurface(this, costFigure, { clicked: ([index]) => this.#open(index) });
  #clicked = (event) => this.#turn(event.target.closest("button")?.dataset.along);
  #keys = new PointKeys({ points: () => this.#children(), moved: (child) => this.#moved(child), open: (index) => this.#open(index) });

  connectedCallback() {
    for (const along of AXES) {
      this.#switch.append(build("button", { type: "button", "data-along": along }, AXIS_TITLES[along]));
    }
    this.#switch.addEventListener("click", this.#clicked);
    this.append(build("div", { class: "cost-head" }, this.#legend, this.#switch));
    this.#surface.open();
    this.#keys.attach(this.lastElementChild, "Accuracy against cost: arrow keys go from child to child, Enter opens one");
    this.append(this.#words);
  }

  disconnectedCallback() {
    this.#switch.removeEventListener("click", this.#clicked);
    this.#surface.close();
    this.#switch.replaceChildren();
    this.replaceChildren();
  }

  render(state, page) {
    this.#state = state;
    this.#page = page;
    const known = knownAxes(state);
    for (const button of this.#switch.children) {
      button.hidden = !known.includes(button.dataset.along);
      button.setAttribute("aria-pressed", String(button.dataset.along === this.#along));
    }
    this.#surface.show(this.#figure(), this.#key());
  }

  #turn(along) {
    if (!along) return;
    this.#along = along;
    this.render(this.#state, this.#page);
    this.#surface.showNow(this.#figure(), this.#key());
  }

  /** All that stand on the chart, cheapest first. */
  #children() {
    if (!this.#state) return [];
    const all = [costedChildren, childrenOver].flatMap((found) => found(this.#state, this.#along));
    return all.map((child) => ({ key: child.index, ...child })).sort((a, b) => a.cost - b.cost);
  }

  #moved({ words }) {
    write(this.#words, `${words}. Enter opens it.`);
    this.#surface.showNow(this.#figure(), this.#key());
  }

  #open(index) {
    const { step, slot } = placeOf(this.#state, index);
    window.location.assign(searchPaths(this.#page.id).child(step, slot));
  }

  #figure() {
    return { state: this.#state, along: this.#along, chosen: this.#keys.chosen };
  }

  #key() {
    return `${this.#state.done} ${this.#along} ${this.#keys.chosen}`;
  }
}

customElements.define("cost-chart", CostChart);
