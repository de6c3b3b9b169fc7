/** <training-chart>: loss and held-out accuracy, or on text perplexity, over the epochs of a training. */

import { percent, perplexity } from "../drawing/format.js";
import { trainingFigure } from "../drawing/training_figure.js";
import { build, write } from "./build.js";
import { legend } from "./chart-legend.js";
import { ChartSurface } from "./chart-surface.js";

const OF_IMAGES = [["accuracy on held-out images", "main"], ["training loss", "loss"]];
const OF_TEXT = [
  ["perplexity on the validation part", "main"], ["guessing by frequency alone", "unigram"], ["training loss", "loss"],
];

class TrainingChart extends HTMLElement {
  #surface = new ChartSurface(this, trainingFigure);
  #legend = null;
  #words = build("p", { class: "only-read" });

  connectedCallback() {
    this.#surface.open();
    this.append(this.#words);
  }

  disconnectedCallback() {
    this.#surface.close();
    this.#legend = null;
    this.replaceChildren();
  }

  render(state) {
    if (!this.#legend) this.prepend(this.#legend = legend(state.text ? OF_TEXT : OF_IMAGES));
    this.#surface.show(state, `${state.curve.length} ${state.epochs} ${state.ended_at}`);
    const last = state.curve.at(-1);
    write(this.#words, last
      ? `Chart of the training: after epoch ${last[0]} the loss is ${last[1].toFixed(3)}, ` +
        (state.text ? `the perplexity on the validation part ${perplexity(last[4])}.`
          : `the accuracy on held-out images ${percent(last[2])}.`)
      : "Chart of the training: no epoch has ended yet.");
  }
}

customElements.define("training-chart", TrainingChart);
