/**
 * One decision over time, or all skips of one layer: options from top to bottom, steps from left to right, the darker
 * (in a dark page: the lighter) the more probable. In front stands a bar of what each option has where all are alike.
 */

import { mostProbable } from "../drawing/policy_columns.js";
import { pixelsOf, shadeOf } from "../drawing/policy_pixels.js";
import { fateInWords, importanceInWords, shareInWords } from "../drawing/policy_words.js";
import { build, buildSvg, write } from "./build.js";

export class PolicyStrip {
  #canvas = build("canvas", { "aria-hidden": "true" });
  #uniform = build("span", { class: "policy-uniform" });
  #cursor = build("span", { class: "policy-cursor", hidden: true });
  #freeze = build("span", { class: "policy-freeze", hidden: true });
  #fate = build("span", { class: "policy-fate" });
  #line = buildSvg("path", { class: "policy-entropy-line" });
  #now = build("span", { class: "policy-now" });
  #matters = build("span", { class: "policy-matters", hidden: true });
  #bar = build("span", { class: "policy-matters-bar" });
  #columns = [];
  #decisions;

  /** row: of policyGroups; decisions: of the state; place: among all strips, for who hears pointer and keys. */
  constructor(row, decisions, place) {
    this.cells = row.cells;
    this.#decisions = [...new Set(row.cells.map(({ decision }) => decision))].map((at) => ({ at, ...decisions[at] }));
    this.field = build("div", { class: "policy-field", role: "application", tabindex: -1, "data-strip": place, "aria-label": nameOf(row) },
      this.#uniform, build("div", { class: "policy-canvas" }, this.#canvas, this.#freeze, this.#cursor));
    this.field.style.setProperty("--rows", this.cells.length);
    this.#matters.append(this.#bar);
    this.node = build("div", { class: "policy-strip" },
      build("p", { class: "policy-head" }, build("span", { class: "policy-name" }, row.label), this.#fate),
      this.field,
      buildSvg("svg", { class: "policy-entropy", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, this.#line),
      build("p", { class: "policy-foot" }, this.#now, this.#matters));
  }

  /** columns: what is drawn, at least one; uniform: the column where all options are alike; frozen: by decision. */
  draw({ columns, uniform, frozen, unit, ramp, banned }) {
    this.#columns = columns;
    this.#canvas.width = columns.length;
    this.#canvas.height = this.cells.length;
    const pixels = new ImageData(pixelsOf(this.cells, columns, ramp, banned), columns.length, this.cells.length);
    this.#canvas.getContext("2d").putImageData(pixels, 0, 0);
    const [first] = this.cells;
    this.#uniform.style.setProperty("background-color", `rgb(${shadeOf(ramp, uniform.policy[first.decision][first.option])})`);
    this.#line.setAttribute("d", this.#entropyPath());
    this.#showFate(frozen, unit);
    this.#showNow();
  }

  /** cell, column: what is read; column -1 is the bar in front. Null: nothing is. */
  showCursor(chosen) {
    this.#cursor.hidden = !chosen || chosen.column < 0;
    this.#uniform.classList.toggle("is-read", chosen?.column === -1);
    if (!chosen) return;
    const { style } = this.#cursor;
    style.setProperty("left", `${(100 * chosen.column) / this.#columns.length}%`);
    style.setProperty("width", `${100 / this.#columns.length}%`);
    style.setProperty("top", `${(100 * chosen.cell) / this.cells.length}%`);
    style.setProperty("height", `${100 / this.cells.length}%`);
  }

  /** results: decisions of GET /api/searches/{id}/decisions. */
  showImportance(results) {
    const open = this.#decisions.filter(({ options }) => options.length > 1);
    const told = open.map(({ at }) => results[at].importance).filter((each) => each !== null);
    this.#matters.hidden = !told.length;
    if (!told.length) return;
    const most = told.reduce((best, each) => (each.share > best.share ? each : best));
    this.#bar.style.setProperty("--share", `${(100 * most.share).toFixed(1)}%`);
    this.#matters.classList.toggle("may-be-chance", most.may_be_chance);
    const words = importanceInWords(most, told.length > 1);
    write(this.#matters, "");
    this.#matters.append(this.#bar, words.short);
    this.#matters.title = words.long;
  }

  /** {cell, column} under this pointer. */
  placeOf({ clientX, clientY }) {
    const box = this.#canvas.getBoundingClientRect();
    const at = (value, length) => Math.min(Math.max(Math.floor(value * length), 0), length - 1);
    return {
      cell: at((clientY - box.top) / box.height, this.cells.length),
      column: clientX < box.left ? -1 : at((clientX - box.left) / box.width, this.#columns.length),
    };
  }

  #entropyPath() {
    const most = this.#decisions.reduce((sum, { options }) => sum + Math.log(options.length), 0) || 1;
    const height = ({ entropies }) => this.#decisions.reduce((sum, { at }) => sum + entropies[at], 0) / most;
    const wide = 100 / this.#columns.length;
    return this.#columns.map((column, place) => {
      const y = (9.5 - 9 * Math.min(height(column), 1)).toFixed(2);
      return `${place ? "L" : "M"}${(place * wide).toFixed(2)} ${y} L${((place + 1) * wide).toFixed(2)} ${y}`;
    }).join(" ");
  }

  #showFate(frozen, unit) {
    const open = this.#decisions.filter(({ options }) => options.length > 1);
    const since = open.map(({ at }) => frozen[at] ?? null);
    const entropy = this.#decisions.reduce((sum, { at }) => sum + this.#columns.at(-1).entropies[at], 0);
    write(this.#fate, fateInWords(since, entropy, unit));
    const last = since.length && since.every((step) => step !== null) ? Math.max(...since) : null;
    this.node.classList.toggle("is-frozen", last !== null);
    const place = last === null ? -1 : this.#columns.findIndex(({ step }) => step >= last);
    this.#freeze.hidden = place < 0;
    this.#freeze.style.setProperty("left", `${(100 * Math.max(place, 0)) / this.#columns.length}%`);
  }

  #showNow() {
    const { policy } = this.#columns.at(-1);
    const probabilities = this.cells.map(({ decision, option }) => policy[decision][option]);
    const top = mostProbable(probabilities);
    const isTold = Math.max(...probabilities) - Math.min(...probabilities) > 1e-6 || this.cells.length === 1;
    write(this.#now, isTold ? shareInWords(this.cells[top], probabilities[top]) : "all alike");
  }
}

/** For whoever hears the page: "normal 1 operation 1 over time", "layer 3 over time". */
function nameOf({ label, cells }) {
  const isOne = cells.every(({ decision }) => decision === cells[0].decision);
  return `${isOne ? cells[0].name : label} over time`;
}
