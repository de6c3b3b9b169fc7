/** <training-chart>: loss and held-out accuracy over the epochs of a training. */

import { percent } from "../drawing/format.js";
import { trainingFigure } from "../drawing/training_figure.js";
import { build, write } from "./build.js";
import { legend } from "./chart-legend.js";
import { ChartSurface } from "./chart-surface.js";

class TrainingChart extends HTMLElement {
  #surface = new ChartSurface(this, trainingFigure);
  #legend = legend([["accuracy on held-out images", "main"], ["training loss", "loss"]]);
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
    this.#surface.show(state, `${state.curve.length} ${state.epochs} ${state.ended_at}`);
    const last = state.curve.at(-1);
    write(this.#words, last
      ? `Chart of the training: after epoch ${last[0]} the loss is ${last[1].toFixed(3)}, ` +
        `the accuracy on held-out images ${percent(last[2])}.`
      : "Chart of the training: no epoch has ended yet.");
  }
}

customElements.define("training-chart", TrainingChart);
