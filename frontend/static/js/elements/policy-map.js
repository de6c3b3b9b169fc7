/**
 * <policy-map>: how probable the controller finds every option of every decision, step by step, from the policy in
 * which all options are alike. Point at a place, or go there with the arrow keys, to read it; a click or Enter shows the
 * children that took the option. The same figures stand in tables, one step at a time.
 */

import { get } from "../api.js";
import { historyOf, historyUpTo, MOST_COLUMNS, withStep } from "../drawing/policy_columns.js";
import { colourOf, rampOf } from "../drawing/policy_pixels.js";
import { policyGroups, uniformColumn } from "../drawing/policy_rows.js";
import { cellInWords, hasBanned, summaryInWords } from "../drawing/policy_words.js";
import { searchPaths } from "../live/paths.js";
import { pauseAt } from "../live/pauses.js";
import { build, write } from "./build.js";
import { kindSwitch, press } from "./kind-switch.js";
import { OptionChildren } from "./option-children.js";
import { PolicyStrips } from "./policy-strips.js";
import { PolicyTables } from "./policy-tables.js";
import { writeExplained } from "./term.js";
import { WhileSeen } from "./while-seen.js";

const TERMS = { entropy: "entropy", froze: "frozen" };
const HISTORY_MS = 3000;
const RESULTS_MS = 8000;
const HINT = "Point at a place of the map, or go to it with the arrow keys. A click or Enter shows the children that took the option.";
const REST_MS = 150; // A slider that moves on is not answered in between.
const RAMP = ["0", "1", "2", "3", "4", "5"].map((stop) => `--policy-${stop}`);

class PolicyMap extends HTMLElement {
  #summary = build("p", { class: "quiet small number" });
  #readout = build("p", { class: "policy-readout number", "aria-live": "polite" });
  #error = build("p", { class: "small is-error", role: "alert" });
  #switch = kindSwitch("How the policy is shown", [["map", "Over time"], ["tables", "One step, in figures"]], (kind) => this.#turnTo(kind));
  #scale = build("span", { class: "policy-scale" }, "0 %", build("span", { class: "policy-ramp" }), "100 %");
  #banned = build("span", { class: "policy-scale", hidden: true }, build("span", { class: "policy-banned" }), "banned");
  #kind = "map";
  #strips = new PolicyStrips((cell, place) => this.#read(cell, place), (cell, strip) => this.#open(cell, strip));
  #tables = new PolicyTables((cell, words) => write(this.#readout, words), (cell, tables) => this.#open(cell, tables));
  #panel = new OptionChildren(() => this.#close());
  #state = null;
  #page = null;
  #uniform = null;
  #history = null; // Null until the server has told it.
  #isBehind = true; // Steps are missing, which the server knows.
  #results = null;
  #resultsOf = -1; // Verdicts when the results were asked for.
  #key = null;
  #rest = null;
  #scheme = window.matchMedia("(prefers-color-scheme: dark)");
  #again = () => this.#draw();
  #askHistory = new WhileSeen((signal) => this.#fetchHistory(signal), {
    pause: HISTORY_MS, isWanted: (isSeen) => isSeen && this.#isBehind && this.#page !== null,
  });
  #askResults = new WhileSeen((signal) => this.#fetchResults(signal), {
    pause: () => pauseAt(RESULTS_MS, this.#state?.done ?? 0), isWanted: (isSeen) => isSeen && this.#page !== null && this.#state.done !== this.#resultsOf,
  });

  connectedCallback() {
    const bar = build("div", { class: "policy-tools" }, this.#switch, this.#banned, this.#scale);
    this.append(this.#summary, bar, this.#error, this.#strips.node, this.#tables.node, this.#readout);
    this.#turnTo(this.#kind);
    write(this.#readout, HINT);
    this.#scheme.addEventListener("change", this.#again);
    this.#askHistory.start(this);
    this.#askResults.start(this);
  }

  disconnectedCallback() {
    clearTimeout(this.#rest);
    this.#askHistory.stop();
    this.#askResults.stop();
    this.#scheme.removeEventListener("change", this.#again);
    this.#panel.close();
    this.replaceChildren();
    this.#key = null;
    this.#uniform = null;
    this.#isBehind = true;
  }

  render(state, page) {
    if (page.is_replay && state.done !== this.#state?.done) {
      clearTimeout(this.#rest);
      this.#rest = setTimeout(() => this.#askResults.hurry(), REST_MS);
    }
    this.#state = state;
    this.#page = page;
    if (!state.decisions.length) return;
    if (!this.#uniform) this.#lay(state);
    this.#append(state);
    this.#panel.steer(state, page);
    const key = `${state.policy?.step ?? "none"} ${state.shared ? state.proposed : ""}`;
    if (key !== this.#key) {
      this.#key = key;
      this.#draw();
    }
    this.#askHistory.plan();
    this.#askResults.plan();
  }

  #lay(state) {
    const groups = policyGroups(state.decisions, Boolean(state.shared));
    this.#uniform = uniformColumn(state.decisions);
    this.#strips.lay(groups, state.decisions);
    this.#tables.lay(groups);
  }

  /** The newest step joins what is there, unless it is the draw of candidates, which is no step. */
  #append(state) {
    const column = newestColumn(state);
    if (!column || !this.#history) return;
    const longer = withStep(this.#history, column);
    this.#isBehind = longer === null;
    this.#history = longer ?? this.#history;
  }

  async #fetchHistory(signal) {
    try {
      this.#history = historyOf(await get(`${searchPaths(this.#page.id).api}/policy?points=${MOST_COLUMNS}`, { signal }));
      this.#isBehind = false;
      this.#append(this.#state);
      this.#draw();
      write(this.#error, "");
    } catch (error) {
      if (!signal.aborted) write(this.#error, error.message);
    }
  }

  async #fetchResults(signal) {
    const { done, n } = this.#state;
    try {
      this.#results = await get(`${searchPaths(this.#page.id).api}/decisions${this.#page.is_replay ? `?at=${n}` : ""}`, { signal });
      this.#resultsOf = done;
      this.#strips.showImportance(this.#results.decisions);
      this.#panel.showResults(this.#results);
      if (this.#panel.node.isConnected) this.#panel.refresh();
      write(this.#error, "");
    } catch (error) {
      if (!signal.aborted) write(this.#error, error.message);
    }
  }

  /**
   * What is known of the policy over time up to the state's own, behind which a history can be on a replay: at least
   * the newest policy, and before any the one where all are alike.
   */
  #shown() {
    const { policy, shared } = this.#state;
    const newest = newestColumn(this.#state);
    let history = this.#history?.columns.length ? this.#history : { columns: [newest ?? this.#uniform], frozen: [] };
    if (!policy) history = { columns: [this.#uniform], frozen: [] };
    else if (newest && newest.step < history.columns.at(-1).step) history = historyUpTo(history, newest);
    return { ...history, uniform: this.#uniform, unit: shared ? "epoch" : "step" };
  }

  #draw() {
    if (!this.#uniform || !this.isConnected) return;
    const shown = this.#shown();
    writeExplained(this.#summary, summaryInWords(this.#state, shown), TERMS);
    const style = getComputedStyle(this);
    const ramp = rampOf(RAMP.map((name) => style.getPropertyValue(name).trim()));
    const banned = colourOf(style.getPropertyValue("--policy-banned").trim());
    this.#banned.hidden = !hasBanned(shown);
    this.#strips.draw({ ...shown, ramp, banned });
    this.#tables.show(shown);
  }

  #turnTo(kind) {
    this.#kind = kind;
    this.#strips.node.hidden = kind !== "map";
    this.#scale.hidden = kind !== "map";
    this.#tables.node.hidden = kind !== "tables";
    press(this.#switch, kind, () => true);
    this.#panel.close();
  }

  /** place: of a column; -1 is where all options are alike. */
  #read(cell, place) {
    const { columns, uniform, unit } = this.#shown();
    write(this.#readout, cellInWords(cell, columns[place] ?? uniform, uniform, unit));
  }

  #open(cell, strip) {
    strip.after(this.#panel.node);
    this.#panel.open(cell, this.#page);
    if (this.#results) this.#panel.showResults(this.#results);
    this.#panel.node.scrollIntoView({ block: "nearest" });
  }

  #close() {
    this.#panel.close();
    (this.#kind === "map" ? this.#strips : this.#tables).focus();
  }
}

/** The state's policy as a column; null before any, and where it is the draw of candidates, which is no step. */
function newestColumn({ policy, shared, proposed }) {
  if (!policy || (shared && proposed)) return null;
  return { step: policy.step, policy: policy.probabilities, entropies: policy.entropies };
}

customElements.define("policy-map", PolicyMap);
