/** <compare-chart>: one chart of many lines, with a switch between its variants. */

import { COLOURS } from "../drawing/compare_figures.js";
import { build, write } from "./build.js";
import { ChartSurface } from "./chart-surface.js";
import { writeExplained } from "./term.js";

const TERMS = { reward: "rewards", score: "scores", "mult-adds": "cost" };

class CompareChart extends HTMLElement {
  #variants = [];
  #chosen = 0;
  #shown = null;
  #title = build("h3", {});
  #switch = build("div", { class: "switch", role: "group" });
  #surface = new ChartSurface(this, (shown, colours) => this.#variants[this.#chosen].figure(shown, { ...colours, lines: this.#colours() }));

  connectedCallback() {
    this.#switch.addEventListener("click", (event) => this.#turn(event.target.closest("button")));
    this.append(build("div", { class: "compare-chart-head" }, this.#title, this.#switch));
    this.#surface.open();
    this.lastElementChild.setAttribute("role", "img");
  }

  disconnectedCallback() {
    this.#surface.close();
    this.replaceChildren();
  }

  /** variants: [{title, figure(shown, colours)}]; shown: {lines, family}; key: whatever it depends on, as a text. */
  show(title, variants, shown, key) {
    writeExplained(this.#title, title, TERMS);
    if (this.#variants.length !== variants.length) {
      this.#switch.setAttribute("aria-label", title);
      this.#switch.replaceChildren(...variants.map((variant) => build("button", { type: "button" }, variant.title)));
      this.#switch.hidden = variants.length < 2;
    }
    this.#variants = variants;
    this.#shown = { shown, key };
    this.querySelector(".chart-plot").setAttribute("aria-label", `${title}: ${shown.lines.map(({ name }) => name).join(", ")}. Its figures are in the table below.`);
    this.#mark();
    this.#surface.show(shown, `${key} ${this.#chosen}`);
  }

  #turn(button) {
    if (!button) return;
    this.#chosen = [...this.#switch.children].indexOf(button);
    this.#mark();
    this.#surface.showNow(this.#shown.shown, `${this.#shown.key} ${this.#chosen}`);
  }

  #mark() {
    [...this.#switch.children].forEach((button, place) => button.setAttribute("aria-pressed", String(place === this.#chosen)));
  }

  #colours() {
    const style = getComputedStyle(this);
    return Array.from({ length: COLOURS }, (_, place) => style.getPropertyValue(`--compare-${place}`).trim());
  }
}

customElements.define("compare-chart", CompareChart);
