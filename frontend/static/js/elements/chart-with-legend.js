/** What a chart over epochs has around its drawing: a legend, and words for who cannot see it. */

import { build, write } from "./build.js";
import { legend } from "./chart-legend.js";
import { ChartSurface } from "./chart-surface.js";

export class ChartWithLegend extends HTMLElement {
  #surface = new ChartSurface(this, (state, colours) => this.figure(state, colours));
  #legend = null;
  #legendKey = null;
  #words = build("p", { class: "only-read" });

  /** state, colours: see ChartSurface. Each chart has its own. */
  figure() {
    throw new Error("A chart says what its figure is.");
  }

  connectedCallback() {
    this.#surface.open();
    this.append(this.#words);
  }

  disconnectedCallback() {
    this.#surface.close();
    this.#legend = this.#legendKey = null;
    this.replaceChildren();
  }

  /** entries: of the legend; terms: that explain themselves in it; key: whatever the figure depends on, as a text; words: what it shows, in a sentence. */
  show(state, { entries, terms, key, words }) {
    this.#showLegend(entries, terms);
    this.#surface.show(state, key);
    write(this.#words, words);
  }

  #showLegend(entries, terms) {
    const key = JSON.stringify(entries);
    if (key === this.#legendKey) return;
    this.#legendKey = key;
    this.#legend?.remove();
    this.prepend(this.#legend = legend(entries, terms));
  }
}
