/** <training-chart>: loss and held-out accuracy, or on text perplexity, over the epochs of a training. */

import { percent, perplexity } from "../drawing/format.js";
import { trainingFigure } from "../drawing/training_figure.js";
import { ChartWithLegend } from "./chart-with-legend.js";

const TERMS = { "held-out": "held-out", perplexity: "perplexity" };
const OF_IMAGES = [["accuracy on held-out images", "main"], ["training loss", "loss"]];
const OF_TEXT = [
  ["perplexity on the validation part", "main"], ["guessing by frequency alone", "unigram"], ["training loss", "loss"],
];

class TrainingChart extends ChartWithLegend {
  render(state) {
    this.show(state, {
      entries: state.text ? OF_TEXT : OF_IMAGES, terms: TERMS, key: `${state.curve.length} ${state.epochs} ${state.ended_at}`,
      words: described(state),
    });
  }

  figure(state, colours) {
    return trainingFigure(state, colours);
  }
}

function described({ text, curve }) {
  const last = curve.at(-1);
  if (!last) return "Chart of the training: no epoch has ended yet.";
  return `Chart of the training: after epoch ${last[0]} the loss is ${last[1].toFixed(3)}, ` +
    (text ? `the perplexity on the validation part ${perplexity(last[4])}.`
      : `the accuracy on held-out images ${percent(last[2])}.`);
}

customElements.define("training-chart", TrainingChart);
