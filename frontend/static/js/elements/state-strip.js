/** <state-strip>: how the search or training stands, in one row of figures that never change their width. */

import { lead, leadFromScratch } from "../drawing/comparison_words.js";
import { duration, percent, perplexity, reward } from "../drawing/format.js";
import { score } from "../drawing/scores.js";
import { sharedStrip } from "../drawing/shared_progress.js";
import { finalRoundPart } from "../drawing/finalists.js";
import { withoutReward } from "../drawing/no_reward.js";
import {
  behindLastEpoch, busyWorkers, elapsed, finalRoundTimeLeft, timeLeft, trainingTimeLeft,
} from "../drawing/progress.js";
import { now as presentMoment } from "../live/now.js";
import { TimeLeft } from "../live/time_left.js";
import { build, write } from "./build.js";
import { explained, writeExplained } from "./term.js";

const TERMS = {
  child: "children", reward: "reward", score: "score", worker: "workers", "final-round": "final round",
  "held-out": "held-out", perplexity: "perplexity",
};
const TICK_MS = 1000;
const CONNECTIONS = { connected: "live", connecting: "connecting", reconnecting: "reconnecting", replay: "replay" };

class StateStrip extends HTMLElement {
  #state = null;
  #page = null;
  #timer = null;
  #badge = build("span", { class: "state" });
  #line = build("span", { class: "connection" });
  #said = build("p", { class: "only-read", role: "status", "aria-live": "polite" });
  #reason = build("p", { class: "strip-reason small", hidden: true });
  #bar = build("progress", { value: 0, max: 1, "aria-label": "Part that is done" });
  #figures = new Map();
  #label = null; // Of the children.
  #bestLabel = null;
  #left = null; // As the server tells it; null for those who only look, who see the pace of the events.
  #lead = null; // Over random search: {value, label}, where a companion runs beside the search.

  connectedCallback() {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
    this.#left?.stop();
    this.#left = null;
    this.replaceChildren();
    this.#figures.clear();
  }

  render(state, page, status) {
    if (!this.#figures.size) {
      this.#lay(page, state);
      if (!page.only_looks) (this.#left = new TimeLeft(page)).start(this);
    }
    this.#left?.follow(state);
    if (this.#state && this.#state.state !== state.state) write(this.#said, `The ${page.kind} is ${state.state}.`);
    this.#state = state;
    this.#page = page;
    write(this.#badge, state.state);
    this.#badge.className = `state is-${state.state}`;
    write(this.#line, CONNECTIONS[status] ?? status);
    this.#line.dataset.status = status in CONNECTIONS ? status : "refused";
    const reason = state.reason || (state.shared ? "" : "best" in state ? withoutReward(state) : behindLastEpoch(state));
    this.#reason.hidden = !reason;
    write(this.#reason, reason);
    this.#tick();
  }

  /** comparison: as the API has it, of rewards or, with shared weights, of what was trained from scratch. */
  compare(comparison) {
    if (!this.#lead) return;
    const { at, lead: ahead, weighs_cost: isWeighed } = comparison;
    const { text, label } = "measured" in comparison ? leadFromScratch(comparison) : lead(ahead, isWeighed);
    write(this.#lead.value, text);
    write(this.#lead.label, `${label} (one run)`);
    this.#lead.value.title = "measured" in comparison ? "Test figures of the best network of each, trained from scratch" : at ? `Best of the first ${at} children minus the expected best of ${at} random ones` : "";
  }

  #lay(page, state) {
    const names = state.shared ? ["epochs", "phase", "elapsed", "left", "best"] : page.kind === "search"
      ? ["children", "elapsed", "left", "workers", "best"] : ["epochs", "elapsed", "left", "accuracy", "test"];
    const labels = {
      children: "children done", elapsed: "elapsed", left: "time left", workers: "workers busy", best: "best reward",
      epochs: "epochs done", phase: "now", accuracy: "held-out accuracy", test: "test accuracy (looked at once)",
      ...(state.text && { accuracy: "validation perplexity", test: "test perplexity (looked at once)" }),
    };
    const list = build("dl", { class: "strip-figures" });
    for (const name of names) {
      const value = build("dd", { class: "number" });
      this.#figures.set(name, value);
      const label = build("dt", {}, ...explained(labels[name], TERMS));
      if (name === "children") this.#label = label;
      if (name === "best") this.#bestLabel = label;
      list.append(build("div", { class: `strip-figure strip-${name}` }, label, value));
    }
    if (page.has_companion) list.append(this.#layLead(list));
    this.append(
      build("div", { class: "strip-state" }, this.#badge, this.#line), list,
      build("div", { class: "strip-bar" }, this.#bar), this.#reason, this.#said);
  }

  #layLead(list) {
    list.classList.add("has-lead");
    const { text, label } = lead(null);
    this.#lead = { value: build("dd", { class: "number" }, text), label: build("dt", {}, `${label} (one run)`) };
    return build("div", { class: "strip-figure strip-lead" }, this.#lead.label, this.#lead.value);
  }

  #tick() {
    if (!this.#state) return;
    const now = presentMoment();
    const values = "curve" in this.#state ? trainingFigures(this.#state, now)
      : this.#state.shared ? sharedFigures(this.#state, this.#page, now) : searchFigures(this.#state, now);
    const told = this.#left?.seconds() ?? null;
    if (told !== null) values.left = duration(told);
    for (const [name, node] of this.#figures) write(node, values[name]);
    if (this.#bestLabel) writeExplained(this.#bestLabel, bestLabel(this.#state), TERMS);
    if (!this.#label) return showPart(this.#bar, values.part);
    writeExplained(this.#label, this.#state.finals ? "final round" : childrenDone(this.#state), TERMS);
    showPart(this.#bar, values.part);
  }
}

function showPart(bar, part) {
  if (bar.value !== part) bar.value = part;
}

/** What failed is told apart from what was over a bound, and so never trained. */
function childrenDone({ failed, over }) {
  if (!failed) return "children done";
  if (!over) return `children done, ${failed} failed`;
  return failed > over ? `done, ${failed - over} failed, ${over} over bounds` : `children done, ${over} over bounds`;
}

/** The reward that the strategy was told. */
function bestReward({ best }) {
  return reward(best?.reward, typeof best?.accuracy === "number");
}

/** Where cost weighs in the reward, the accuracy of the same child stands beside it. */
function bestLabel({ best, shared }) {
  if (shared) return `best ${shared.is_text ? "perplexity" : "score"}, ${best ? "candidates" : "latest epoch"}`;
  return typeof best?.accuracy === "number" ? `best reward, accuracy ${percent(best.accuracy)}` : "best reward";
}

function sharedFigures(state, page, now) {
  const { phase, elapsed: passed, left, part } = sharedStrip(state, now, page);
  const { epochs, steps_told: told, best } = state.shared;
  return {
    epochs: `${told} of ${epochs}`, phase, elapsed: duration(passed), left: duration(left),
    best: score((state.best ?? best)?.reward, page.scale), part,
  };
}

function searchFigures(state, now) {
  if (state.finals) return finalRoundFigures(state, now);
  return {
    children: `${state.done} of ${state.total}${proposalsInWords(state.proposals)}`,
    elapsed: duration(elapsed(state, now)),
    left: state.done >= state.total && state.total ? duration(0) : duration(timeLeft(state, now)),
    workers: String(busyWorkers(state)),
    best: bestReward(state),
    part: state.total ? state.done / state.total : 0,
  };
}

function proposalsInWords({ asked, done, left_out: leftOut }) {
  if (!asked) return "";
  return leftOut ? ` + ${done} proposed, ${leftOut} left out` : ` + ${done} proposed`;
}

/** Of a search whose last step was told: where its final round stands. */
function finalRoundFigures(state, now) {
  const { done, finalists } = state.finals;
  return {
    children: `${done} of ${finalists.length}`,
    elapsed: duration(elapsed(state, now)),
    left: state.finals.is_over ? duration(0) : duration(finalRoundTimeLeft(state, now)),
    workers: String(busyWorkers(state)),
    best: bestReward(state),
    part: finalRoundPart(state.finals),
  };
}

function trainingFigures(state, now) {
  return {
    epochs: `${state.curve.at(-1)?.[0] ?? 0} of ${state.epochs}`,
    elapsed: duration(elapsed(state, now)),
    left: duration(trainingTimeLeft(state, now)),
    accuracy: state.text ? perplexity(state.curve.at(-1)?.[4]) : percent(state.curve.at(-1)?.[2]),
    test: state.checkpoint === null && state.ended_at === null ? "after the end"
      : state.text ? perplexity(state.text.test_perplexity) : percent(state.test_accuracy),
    part: state.epochs ? state.curve.length / state.epochs : 0,
  };
}

customElements.define("state-strip", StateStrip);
