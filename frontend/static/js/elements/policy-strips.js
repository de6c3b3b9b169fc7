/** All decisions over time, in groups that close, with pointer and keyboard: one place of the map is read at a time. */

import { decidedPixels } from "../drawing/policy_pixels.js";
import { build, write } from "./build.js";
import { PolicyStrip } from "./policy-strip.js";

const MANY = 30; // Strips; with more of them only the first group starts open.
const KEYS = {
  ArrowLeft: { column: -1 }, ArrowRight: { column: 1 }, Home: { column: -Infinity }, End: { column: Infinity },
  ArrowUp: { cell: -1 }, ArrowDown: { cell: 1 }, PageUp: { strip: -1 }, PageDown: { strip: 1 },
};

export class PolicyStrips {
  #strips = [];
  #groups = []; // [{details, said, canvas, open}]; open: decisions with more than one option, each with its place (at).
  #chosen = null; // {strip, cell, column}; column -1 is where all options are alike.
  #columns = 1;
  #shown = null;
  #read;
  #open;

  /** read(cell, column): a place was pointed at or gone to; open(cell, node): its children are wanted. */
  constructor(read, open) {
    this.#read = read;
    this.#open = open;
    this.node = build("div", { class: "policy-strips" });
    this.node.addEventListener("pointermove", (event) => this.#point(event));
    this.node.addEventListener("click", (event) => this.#click(event));
    this.node.addEventListener("focusin", (event) => this.#enter(event));
    this.node.addEventListener("keydown", (event) => this.#press(event));
  }

  lay(groups, decisions) {
    const isMany = groups.reduce((sum, { rows }) => sum + rows.length, 0) > MANY;
    this.#strips = [];
    this.#chosen = null;
    this.#groups = groups.map(({ name, rows }, place) => {
      const strips = rows.map((row) => new PolicyStrip(row, decisions, this.#strips.length + rows.indexOf(row)));
      this.#strips.push(...strips);
      const said = build("span", { class: "quiet small policy-group-said" });
      const canvas = build("canvas", { class: "policy-overview", "aria-hidden": "true" });
      const details = build("details", { class: "policy-group", open: !isMany || place === 0 },
        build("summary", {}, build("span", { class: "policy-group-name" }, name), said, canvas),
        build("div", { class: "policy-grid" }, ...strips.map(({ node }) => node)));
      const places = new Set(rows.flatMap(({ cells }) => cells.map(({ decision }) => decision)));
      const open = [...places].map((at) => ({ at, ...decisions[at] })).filter(({ options }) => options.length > 1);
      return { details, said, canvas, open };
    });
    this.node.replaceChildren(...this.#groups.map(({ details }) => details));
    if (this.#strips.length) this.#strips[0].field.tabIndex = 0;
  }

  draw(shown) {
    this.#shown = shown;
    this.#columns = shown.columns.length;
    for (const strip of this.#strips) strip.draw(shown);
    for (const group of this.#groups) this.#drawGroup(group);
    if (this.#chosen) this.#go({ ...this.#chosen, column: Math.min(this.#chosen.column, this.#columns - 1) });
  }

  showImportance(results) {
    for (const strip of this.#strips) strip.showImportance(results);
  }

  /** Back to the place that was chosen last. */
  focus() {
    if (this.#chosen) this.#strips[this.#chosen.strip].field.focus();
  }

  /** All decisions of a group at a glance, a line each: the further along the ramp, the more decided. */
  #drawGroup({ said, canvas, open }) {
    write(said, this.#groupInWords(open));
    const { columns, ramp } = this.#shown;
    canvas.hidden = !open.length;
    if (!open.length) return;
    canvas.width = columns.length;
    canvas.height = open.length;
    canvas.style.setProperty("--rows", open.length);
    const pixels = new ImageData(decidedPixels(open, columns, ramp), columns.length, open.length);
    canvas.getContext("2d").putImageData(pixels, 0, 0);
  }

  #groupInWords(open) {
    const { entropies } = this.#shown.columns.at(-1);
    const entropy = open.reduce((sum, { at }) => sum + entropies[at], 0);
    const most = open.reduce((sum, { options }) => sum + Math.log(options.length), 0) || 1;
    const frozen = open.filter(({ at }) => (this.#shown.frozen[at] ?? null) !== null).length;
    const left = `${Math.round((100 * entropy) / most)} % of the most entropy`;
    return `${open.length} decisions, ${frozen ? `${frozen} frozen, ` : ""}${left}`;
  }

  #point(event) {
    const place = this.#placeOf(event);
    if (place) this.#go(place);
  }

  #click(event) {
    const place = this.#placeOf(event);
    if (!place) return;
    this.#go(place);
    this.#openChosen();
  }

  #placeOf(event) {
    const field = event.target.closest("[data-strip]");
    if (!field) return null;
    const strip = Number(field.dataset.strip);
    return { strip, ...this.#strips[strip].placeOf(event) };
  }

  /** A field that is come to by the keyboard is read at its newest step. */
  #enter({ target }) {
    const field = target.closest("[data-strip]");
    if (!field) return;
    const strip = Number(field.dataset.strip);
    if (this.#chosen?.strip !== strip) this.#go({ strip, cell: 0, column: this.#columns - 1 });
    else this.#go(this.#chosen);
  }

  #press(event) {
    if (!this.#chosen || !event.target.closest("[data-strip]")) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#openChosen();
      return;
    }
    const move = KEYS[event.key];
    if (!move) return;
    event.preventDefault();
    this.#go(this.#moved(move));
    this.focus();
  }

  /** The place after a key. Options go on into the decision above or below; closed groups are passed over. */
  #moved({ column = 0, cell = 0, strip = 0 }) {
    const at = this.#chosen;
    const open = this.#strips.filter(({ node }) => node.closest("details").open);
    if (column) return { ...at, column: Math.min(Math.max(at.column + column, -1), this.#columns - 1) };
    const length = this.#strips[at.strip].cells.length;
    if (cell && at.cell + cell >= 0 && at.cell + cell < length) return { ...at, cell: at.cell + cell };
    const next = open[open.indexOf(this.#strips[at.strip]) + (strip || cell)];
    if (!next) return at;
    return { ...at, strip: this.#strips.indexOf(next), cell: cell < 0 ? next.cells.length - 1 : 0 };
  }

  #go(place) {
    if (this.#chosen) {
      const before = this.#strips[this.#chosen.strip];
      if (this.#chosen.strip !== place.strip) before.showCursor(null);
      before.field.tabIndex = -1;
    } else if (this.#strips.length) {
      this.#strips[0].field.tabIndex = -1;
    }
    this.#chosen = place;
    const strip = this.#strips[place.strip];
    strip.field.tabIndex = 0;
    strip.showCursor(place);
    this.#read(strip.cells[place.cell], place.column);
  }

  #openChosen() {
    const strip = this.#strips[this.#chosen.strip];
    this.#open(strip.cells[this.#chosen.cell], strip.node);
  }
}
