/** The policy at one step as tables with every figure: the same as the map, for whoever reads rather than looks. */

import { stackedOption } from "../drawing/option_names.js";
import { cellInWords, columnInWords } from "../drawing/policy_words.js";
import { build, write } from "./build.js";

export class PolicyTables {
  #cells = []; // By row: [{...cell, node}], in the order in which they stand.
  #chosen = [0, 0];
  #columns = [];
  #place = null; // Of the column that is shown; null for the newest.
  #tables = build("div", { class: "policy-tables" });
  #step = build("input", { type: "range", min: 0, step: 1, "aria-label": "Step" });
  #when = build("output", { class: "number small" });
  #shown = null;
  #uniform = null;
  #unit = "step";
  #read;
  #open;

  /** read(cell, words): a cell was pointed at or gone to; open(cell, node): its children are wanted behind the node. */
  constructor(read, open) {
    this.#read = read;
    this.#open = open;
    this.node = build("div", { class: "policy-at-step" },
      build("label", { class: "policy-step" }, "Step", this.#step, this.#when), this.#tables);
    this.#step.addEventListener("input", () => {
      const place = Number(this.#step.value);
      this.#place = place === this.#columns.length - 1 ? null : place;
      this.#fill();
    });
    this.#tables.addEventListener("pointerover", (event) => this.#point(event));
    this.#tables.addEventListener("focusin", (event) => this.#point(event));
    this.#tables.addEventListener("keydown", (event) => this.#press(event));
    this.#tables.addEventListener("click", ({ target }) => {
      if (target.closest("[data-place]")) this.#openChosen();
    });
  }

  lay(groups) {
    this.#cells = [];
    this.#tables.classList.toggle("is-in-twos", groups.length % 3 !== 0);
    this.#tables.replaceChildren(...groups.map(({ name, rows }) => {
      const longest = rows.reduce((a, b) => (b.cells.length > a.cells.length ? b : a)).cells;
      const head = build("tr", {}, build("td", {}), ...longest.map(({ text }) => build("th", { scope: "col" }, stackedOption(text))));
      return build("table", { class: "policy-table" }, build("caption", {}, name), build("thead", {}, head),
        build("tbody", {}, ...rows.map((row) => this.#row(row))));
    }));
  }

  show({ columns, uniform, unit }) {
    this.#columns = columns;
    this.#uniform = uniform;
    this.#unit = unit;
    if (this.#place !== null && this.#place >= columns.length - 1) this.#place = null;
    this.#step.max = columns.length - 1;
    this.#step.disabled = columns.length < 2;
    this.#fill();
  }

  #row({ label, cells }) {
    const row = this.#cells.length;
    this.#cells.push(cells.map((cell, column) => ({
      ...cell, node: build("td", { "data-place": `${row} ${column}`, tabindex: row + column === 0 ? 0 : -1 }),
    })));
    return build("tr", {}, build("th", { scope: "row" }, label), ...this.#cells[row].map(({ node }) => node));
  }

  #fill() {
    const place = this.#place ?? this.#columns.length - 1;
    this.#shown = this.#columns[place];
    this.#step.value = place;
    const words = columnInWords(this.#shown.step, this.#unit);
    this.#step.setAttribute("aria-valuetext", words);
    write(this.#when, words);
    for (const cell of this.#cells.flat()) {
      const probability = this.#shown.policy[cell.decision][cell.option];
      cell.node.style.setProperty("--share", `${(Math.sqrt(probability) * 100).toFixed(1)}%`);
      cell.node.classList.toggle("is-likely", probability > 0.38);
      cell.node.classList.toggle("is-certain", probability > 0.65);
      cell.node.classList.toggle("is-banned", probability === 0);
      write(cell.node, probability === 0 ? "×" : `${Math.round(probability * 100)}`);
    }
  }

  #point(event) {
    const place = event.target.closest("[data-place]")?.dataset.place;
    if (place) this.#choose(...place.split(" ").map(Number));
  }

  /** Back to the cell that was chosen last. */
  focus() {
    this.#cells[this.#chosen[0]][this.#chosen[1]].node.focus();
  }

  #openChosen() {
    this.#open(this.#cells[this.#chosen[0]][this.#chosen[1]], this.#tables);
  }

  #press(event) {
    if (event.key === "Enter" && event.target.closest("[data-place]")) this.#openChosen();
    const move = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key];
    if (!move || !this.#cells.length) return;
    event.preventDefault();
    const row = clamp(this.#chosen[0] + move[0], this.#cells.length);
    this.#choose(row, clamp(this.#chosen[1] + move[1], this.#cells[row].length));
    this.focus();
  }

  #choose(row, column) {
    this.#cells[this.#chosen[0]]?.[this.#chosen[1]]?.node.setAttribute("tabindex", "-1");
    this.#chosen = [row, column];
    const cell = this.#cells[row][column];
    cell.node.setAttribute("tabindex", "0");
    const words = cellInWords(cell, this.#shown, this.#uniform, this.#unit);
    cell.node.setAttribute("aria-label", words);
    this.#read(cell, words);
  }
}

function clamp(value, length) {
  return Math.min(Math.max(value, 0), length - 1);
}
