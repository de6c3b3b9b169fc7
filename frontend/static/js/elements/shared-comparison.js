/**
 * <shared-comparison>: how a search with shared weights stands against its random companion, in words and side by side.
 * It asks again whenever the search gets further, and while one of the two, or of their trainings, is under way.
 */

import { get } from "../api.js";
import { VERDICTS } from "../drawing/comparison_words.js";
import { percent, perplexity } from "../drawing/format.js";
import { score } from "../drawing/scores.js";
import { searchPaths } from "../live/paths.js";
import { build, write } from "./build.js";
import { CompanionOffer } from "./companion-offer.js";
import { explained } from "./term.js";
import { WhileSeen } from "./while-seen.js";

const TERMS = { score: "best score", perplexity: "best shared perplexity", entropy: "entropy" };
const PAUSE_MS = 3000; // Between two questions.
const HINT = "Starts the same search once more with uniform draws: shared weights of its own, and the same budget.";

class SharedComparison extends HTMLElement {
  #page = null;
  #known = null; // What of the search the last question was about.
  #isStale = true;
  #shown = "";
  #parts = null;
  #offer = new CompanionOffer();
  #whileSeen = new WhileSeen((signal) => this.#ask(signal), {
    pause: PAUSE_MS,
    isWanted: (isSeen) => this.#isStale && this.#page !== null &&
      (isSeen || this.#page.has_companion), // What it learns of a companion, the strip shows too.
  });

  connectedCallback() {
    this.#whileSeen.start(this);
  }

  disconnectedCallback() {
    this.#whileSeen.stop();
    this.#parts = this.#known = null;
    this.#isStale = true;
    this.#shown = "";
    this.replaceChildren();
  }

  render(state, page) {
    this.#page = page;
    const known = `${state.shared.epochs_shared} ${state.shared.steps_told} ${state.state}`;
    if (known === this.#known) return;
    this.#known = known;
    this.#isStale = true;
    this.#whileSeen.plan();
  }

  async #ask(signal) {
    this.#isStale = false;
    try {
      const comparison = await get(`${searchPaths(this.#page.id).api}/shared-comparison`, { signal });
      this.#show(comparison);
      this.#isStale ||= !comparison.is_over && comparison.random !== null;
    } catch {
      this.#isStale = true; // The next time tells.
    }
  }

  #show(comparison) {
    const key = JSON.stringify(comparison);
    if (key === this.#shown) return;
    this.#shown = key;
    this.#parts ??= this.#lay();
    const { verdict, text, sides, rest } = this.#parts;
    const [title, mark] = VERDICTS[comparison.verdict];
    write(verdict, comparison.waiting && comparison.is_over ? "No verdict" : title);
    verdict.className = `verdict is-${mark}`;
    const sentences = comparison.waiting ? [comparison.waiting, ...comparison.sentences] : comparison.sentences;
    const said = comparison.waiting ? 1 : 2; // A verdict stands beside what it rests on: one run of each.
    write(text, sentences.slice(0, said).join(" "));
    write(rest, sentences.slice(said).join(" "));
    sides.hidden = comparison.random === null;
    if (comparison.random) sides.replaceChildren(tableOf(comparison, this.#page.scale));
    this.#offer.show(comparison.random === null, searchPaths(this.#page.id).api, HINT);
    for (const element of this.closest("live-page").querySelectorAll("[data-compared]")) element.compare(comparison);
  }

  #lay() {
    const parts = {
      verdict: build("p", { role: "status" }), text: build("p", { class: "comparison-text" }),
      sides: build("div", { class: "table-frame", tabindex: 0, role: "group", "aria-label": "The search and its random companion", hidden: true }),
      rest: build("p", { class: "small quiet" }),
    };
    const { sides, ...said } = parts;
    this.replaceChildren(build("div", { class: "honesty-said" }, ...Object.values(said), ...this.#offer.nodes),
      build("div", { class: "honesty-side" }, sides));
    return parts;
  }
}

/** Rows: what is compared first. scale: of a reward on text, null on images. */
function tableOf({ search, random, measured }, scale) {
  const isText = measured === "perplexity";
  const figure = (value) => (isText ? perplexity(value) : percent(value));
  const rows = [
    [`Best from scratch, test ${measured}`, (each) => (each.best ? build("a", { href: each.best.url }, figure(each.best.test)) : inTraining(each))],
    [`The same, ${isText ? "validation part" : "held out"}`, ({ best }) => (best ? figure(best.held_out) : "–")],
    [isText ? "Best shared perplexity of a candidate" : "Best score of a candidate", ({ best_score: best }) => score(best, scale)],
    [isText ? "Median shared perplexity" : "Median score", ({ median_score: median }) => score(median, scale)],
    ["Entropy of the policy", ({ entropy }) => (entropy === null ? "–" : `${entropy.toFixed(2)} nats`)],
    ["How far", ({ done, epochs, state }) => `${done} of ${epochs} epochs, ${state}`],
  ];
  const head = build("tr", {}, build("th", { scope: "col" }, build("span", { class: "only-read" }, "Figure")), build("th", { scope: "col", class: "is-number" }, "This search"),
    build("th", { scope: "col", class: "is-number" }, build("a", { href: random.url }, "Random companion")));
  const cell = (value) => build("td", { class: "is-number" }, value);
  return build("table", { class: "table" }, build("thead", {}, head), build("tbody", {}, ...rows.map(([name, of]) =>
    build("tr", {}, build("th", { scope: "row" }, ...explained(name, TERMS)), cell(of(search)), cell(of(random))))));
}

function inTraining({ open, trainings }) {
  if (!open) return trainings ? "not to its end" : "–";
  return trainings === 1 ? "in training" : `${open} of ${trainings} in training`;
}

customElements.define("shared-comparison", SharedComparison);
