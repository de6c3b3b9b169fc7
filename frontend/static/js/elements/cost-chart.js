/**
 * <cost-chart>: accuracy against parameters, mult-adds or measured latency, and the children that no cheaper one
 * reaches. A click on a point opens its cell; so does Enter, after the arrow keys went to it.
 */

import { costedChildren, costFigure, knownAxes, placeOf } from "../drawing/cost_figure.js";
import { AXIS_TITLES } from "../drawing/cost_words.js";
import { searchPaths } from "../live/paths.js";
import { AXES } from "../live/state.js";
import { build, write } from "./build.js";
import { legend } from "./chart-legend.js";
import { ChartSurface } from "./chart-surface.js";

const STEPS = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
const HINT = "A click on a point opens its cell. By keyboard: arrow keys, then Enter.";

class CostChart extends HTMLElement {
  #state = null;
  #page = null;
  #along = AXES[0];
  #chosen = null; // The index of the child that the keyboard is at.
  #legend = legend([["child", "point"], ["no cheaper child is as accurate", "main"], ["over a bound", "over"]]);
  #switch = build("div", { class: "switch cost-axes", role: "group", "aria-label": "Which cost" });
  #words = build("p", { class: "small quiet cost-words", role: "status", "aria-live": "polite" }, HINT);
  #surface = new ChartSurface(this, costFigure, ([index]) => this.#open(index));
  #clicked = (event) => this.#turn(event.target.closest("button")?.dataset.along);
  #pressed = (event) => this.#press(event);

  connectedCallback() {
    for (const along of AXES) {
      this.#switch.append(build("button", { type: "button", "data-along": along }, AXIS_TITLES[along]));
    }
    this.#switch.addEventListener("click", this.#clicked);
    this.append(build("div", { class: "cost-head" }, this.#legend, this.#switch));
    this.#surface.open();
    const plot = this.lastElementChild;
    plot.tabIndex = 0;
    plot.setAttribute("role", "application");
    plot.setAttribute("aria-label", "Accuracy against cost: arrow keys go from child to child, Enter opens one");
    plot.addEventListener("keydown", this.#pressed);
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

  #press(event) {
    if (event.key === "Enter" && this.#chosen !== null) this.#open(this.#chosen);
    if (!(event.key in STEPS) || !this.#state) return;
    event.preventDefault();
    const children = costedChildren(this.#state, this.#along);
    if (!children.length) return;
    const at = children.findIndex(({ index }) => index === this.#chosen);
    const next = Math.min(Math.max(at + STEPS[event.key], 0), children.length - 1);
    this.#chosen = children[next].index;
    write(this.#words, `${children[next].words}. Enter opens it.`);
    this.#surface.showNow(this.#figure(), this.#key());
  }

  #open(index) {
    const { step, slot } = placeOf(this.#state, index);
    window.location.assign(searchPaths(this.#page.id).child(step, slot));
  }

  #figure() {
    return { state: this.#state, along: this.#along, chosen: this.#chosen };
  }

  #key() {
    return `${this.#state.done} ${this.#along} ${this.#chosen}`;
  }
}

customElements.define("cost-chart", CostChart);
