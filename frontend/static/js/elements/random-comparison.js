/**
 * <random-comparison>: how the search stands against random search, in words and figures. It asks again whenever the
 * search has more children, and while its companion runs; what it learns it hands to every element inside <live-page>
 * that is marked with data-compared, by calling compare(comparison) on it.
 */

import { get } from "../api.js";
import { VERDICTS, lead, points, signed } from "../drawing/comparison_words.js";
import { reward } from "../drawing/format.js";
import { streamPaths } from "../live/paths.js";
import { pauseAt } from "../live/pauses.js";
import { build, write } from "./build.js";
import { CompanionOffer } from "./companion-offer.js";

const PAUSE_MS = 3000; // Between two questions.
const OPEN = ["running", "paused"];

class RandomComparison extends HTMLElement {
  #page = null;
  #total = 0;
  #done = 0;
  #known = null; // What of the search the last question was about.
  #asked = -Infinity;
  #timer = null;
  #asking = null;
  #parts = null;
  #offer = new CompanionOffer();

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#asking?.abort();
    this.#parts = null;
    this.replaceChildren();
  }

  render(state, page) {
    this.#page = page;
    this.#total = state.total;
    this.#done = state.done;
    const known = `${state.done} ${state.state}`;
    if (known === this.#known) return;
    this.#known = known;
    this.#askSoon();
  }

  #askSoon() {
    if (this.#timer !== null) return;
    const wait = Math.max(0, this.#asked + pauseAt(PAUSE_MS, this.#done) - performance.now());
    this.#timer = setTimeout(() => this.#ask(), wait);
  }

  async #ask() {
    this.#timer = null;
    this.#asked = performance.now();
    this.#asking?.abort();
    const { signal } = (this.#asking = new AbortController());
    try {
      const comparison = await get(`${streamPaths(this.#page).api}/comparison`, { signal });
      this.#show(comparison);
      if (OPEN.includes(comparison.companion?.state)) this.#askSoon();
    } catch (error) {
      if (error.name !== "AbortError") this.#askSoon(); // The next time tells.
    }
  }

  #show(comparison) {
    this.#parts ??= this.#lay();
    const { verdict, text, facts, rest, link } = this.#parts;
    const [title, mark] = VERDICTS[comparison.verdict];
    write(verdict, title);
    verdict.className = `verdict is-${mark}`;
    const [first, ...others] = comparison.test ? comparison.sentences : [comparison.waiting, ...comparison.sentences];
    write(text, first);
    write(rest, others.join(" "));
    showFacts(facts, comparison);
    showLink(link, comparison.companion);
    this.#offer.show(comparison.companion === null, streamPaths(this.#page).api,
      `Starts ${this.#total.toLocaleString("en")} more children, drawn uniformly, with the same settings. ` +
      "They catch up first; then both advance alike.");
    for (const element of this.closest("live-page").querySelectorAll("[data-compared]")) element.compare(comparison);
  }

  #lay() {
    const parts = {
      verdict: build("p", {}), text: build("p", { class: "comparison-text" }), facts: build("dl", { class: "comparison-facts" }),
      rest: build("p", { class: "small quiet" }), link: build("p", { class: "small" }),
    };
    this.replaceChildren(...Object.values(parts), ...this.#offer.nodes);
    return parts;
  }
}

function showFacts(list, { test, lead: ahead, at, pool, runs, weighs_cost: isWeighed }) {
  const rows = [];
  if (test) {
    rows.push([`late children, mean of ${test.late}`, reward(test.late_mean, isWeighed)]);
    rows.push([`random children, mean of ${test.random.toLocaleString("en")}`, reward(test.random_mean, isWeighed)]);
    const [low, high] = [test.low, test.high].map((edge) => signed(edge, isWeighed));
    rows.push(["difference, 95 % interval", `${points(test.difference, isWeighed)} (${low} to ${high})`]);
    rows.push(["p-value", test.p < 0.01 ? test.p.toFixed(4) : test.p.toFixed(2)]);
  }
  if (ahead !== null) rows.push([`best of ${at} against the expected best of ${at} random`, lead(ahead, isWeighed).text]);
  if (pool && !test) rows.push(["random children so far", `${pool.toLocaleString("en")} of ${runs === 1 ? "one run" : `${runs} runs`}`]);
  const key = JSON.stringify(rows);
  if (list.dataset.shown === key) return;
  list.dataset.shown = key;
  list.replaceChildren(...rows.map(([name, value]) =>
    build("div", {}, build("dt", {}, name), build("dd", { class: "number" }, value))));
}

function showLink(line, companion) {
  line.hidden = companion === null;
  if (companion === null) return;
  const text = `${companion.done} of ${companion.total} children, ${companion.state}`;
  if (line.dataset.shown === text) return;
  line.dataset.shown = text;
  line.replaceChildren(build("a", { href: companion.url }, "The random search beside it"), `: ${text}.`);
}

customElements.define("random-comparison", RandomComparison);
