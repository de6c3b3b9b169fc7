/** <cost-chart>: reward against parameters, and the children that no cheaper one reaches. */

import { costFigure } from "../drawing/search_figures.js";
import { ChartSurface } from "./chart-surface.js";

class CostChart extends HTMLElement {
  #surface = new ChartSurface(this, costFigure);

  connectedCallback() {
    this.#surface.open();
  }

  disconnectedCallback() {
    this.#surface.close();
  }

  render(state) {
    this.#surface.show(state, String(state.done));
  }
}

customElements.define("cost-chart", CostChart);
