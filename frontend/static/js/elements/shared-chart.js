/** <shared-chart data-shows="weights|scores|entropy">: one chart of a search with shared weights, over its epochs. */

import { figure, scoreInWords } from "../drawing/scores.js";
import { entropyFigure, scoresFigure, weightsFigure } from "../drawing/shared_figures.js";
import { ChartWithLegend } from "./chart-with-legend.js";

const TERMS = { "controller-phase": "mean of the phase", perplexity: "validation perplexity" };
const FAMILY_MARKS = ["main-thin", "best", "entropy", "loss"]; // The colours of entropyFigure, in their order.
const FIGURES = { weights: weightsFigure, scores: scoresFigure, entropy: entropyFigure };

class SharedChart extends ChartWithLegend {
  #scale = null;

  render(state, page) {
    this.#scale = page.scale;
    const { shared } = state;
    this.show(state, {
      entries: entriesOf(this.dataset.shows, shared), terms: TERMS, key: `${shared.epochs_shared} ${shared.steps_told}`,
      words: described(this.dataset.shows, state, page.scale),
    });
  }

  figure(state, colours) {
    return FIGURES[this.dataset.shows](state, colours, this.#scale);
  }
}

function entriesOf(shows, { is_text: isText, guess, families }) {
  if (shows === "scores") return [["mean of the phase", "main"], ["best", "best"], ["within the phase", "within"]];
  if (shows === "entropy") return families.map((family, place) => [family, FAMILY_MARKS[place % FAMILY_MARKS.length]]);
  const name = isText ? "perplexity" : "accuracy";
  return [
    [`validation ${name}`, "main"], [`${name} while learning`, "learning"], ["training loss", "loss"],
    ...(guess === null ? []
      : [[`guessing ${isText ? "by frequency" : "at random"}: ${figure(guess, isText)}`, "unigram"]]),
  ];
}

function described(shows, { shared }, scale) {
  const last = shared.curve.findLast(({ mean_reward: reward }) => reward !== null);
  if (!last) return "Chart: no controller phase has ended yet.";
  const epoch = `after epoch ${last.step + 1}`;
  if (shows === "scores") {
    return `Chart of scores: ${epoch} the best is ${scoreInWords(last.best_reward, scale)}.`;
  }
  if (shows === "entropy") {
    const each = shared.families.map((family, place) => `${family} ${last.entropies[place].toFixed(2)}`);
    return `Chart of the policy's entropy in nats a decision: ${epoch} ${each.join(", ")}.`;
  }
  const name = shared.is_text ? "perplexity" : "accuracy";
  return `Chart of the shared weights: ${epoch} the training loss is ${last.loss.toFixed(3)} and the validation ${name} ` +
    `${figure(last.held_out, shared.is_text)}.`;
}

customElements.define("shared-chart", SharedChart);
