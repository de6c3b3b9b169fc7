/** <cost-chart>: reward against parameters, and the children that no cheaper one reaches. */

import { costFigure } from "../drawing/search_figures.js";
import { legend } from "./chart-legend.js";
import { ChartSurface } from "./chart-surface.js";

class CostChart extends HTMLElement {
  #legend = legend([["child", "point"], ["best for its cost", "main"]]);
  #surface = new ChartSurface(this, costFigure);

  connectedCallback() {
    this.append(this.#legend);
    this.#surface.open();
  }

  disconnectedCallback() {
    this.#surface.close();
    this.replaceChildren();
  }

  render(state) {
    this.#surface.show(state, String(state.done));
  }
}

customElements.define("cost-chart", CostChart);
