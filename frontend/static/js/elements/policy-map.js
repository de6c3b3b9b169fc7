/**
 * <policy-map>: how probable the controller finds every option of every decision. The darker, the more probable; at
 * first all options of a decision are alike. Hover a cell, or move over the map with the arrow keys, to read it.
 */

import { grouped, policyRows } from "../drawing/policy_rows.js";
import { shortOption, stackedOption } from "../drawing/option_names.js";
import { build, write } from "./build.js";

class PolicyMap extends HTMLElement {
  #cells = []; // By row: [{node, option, probability}], in the order in which they stand.
  #names = [];
  #readout = build("p", { class: "policy-readout number", "aria-live": "off" });
  #summary = build("p", { class: "quiet small number" });
  #key = null;
  #chosen = [0, 0];
  #pointed = (event) => {
    const place = event.target.closest("[data-place]")?.dataset.place;
    if (place) this.#read(...place.split(" ").map(Number));
  };
  #pressed = (event) => {
    const move = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key];
    if (!move || !this.#cells.length) return;
    event.preventDefault();
    const row = clamp(this.#chosen[0] + move[0], this.#cells.length);
    this.#read(row, clamp(this.#chosen[1] + move[1], this.#cells[row].length));
    this.#cells[this.#chosen[0]][this.#chosen[1]].node.focus();
  };

  connectedCallback() {
    this.addEventListener("pointerover", this.#pointed);
    this.addEventListener("focusin", this.#pointed);
    this.addEventListener("keydown", this.#pressed);
  }

  disconnectedCallback() {
    this.removeEventListener("pointerover", this.#pointed);
    this.removeEventListener("focusin", this.#pointed);
    this.removeEventListener("keydown", this.#pressed);
    this.replaceChildren();
    this.#cells = [];
    this.#key = null;
  }

  render(state) {
    if (!state.decisions.length) return;
    const key = String(state.policy?.step ?? "uniform");
    if (key === this.#key) return;
    this.#key = key;
    const groups = grouped(policyRows(state));
    if (!this.#cells.length) this.#lay(groups);
    groups.flatMap((group) => group.rows).forEach((row, place) => this.#fill(row, place));
    write(this.#summary, state.policy
      ? `Step ${state.policy.step}: entropy ${state.policy.entropy.toFixed(2)} nats of ${most(groups).toFixed(2)}.`
      : `Before the first draw every option is alike: ${most(groups).toFixed(2)} nats.`);
    this.#read(...this.#chosen);
  }

  #lay(groups) {
    let row = 0;
    const tables = groups.map(({ name, rows }) => {
      const options = rows.map(({ cells }) => cells).reduce((a, b) => (b.length > a.length ? b : a));
      const head = build("tr", {}, build("td", {}), ...options.map(({ option }) =>
        build("th", { scope: "col" }, stackedOption(option))));
      const body = rows.map((each) => this.#row(each, row++));
      return build("table", { class: "policy-table" }, build("caption", {}, name), build("thead", {}, head),
        build("tbody", {}, ...body));
    });
    this.replaceChildren(this.#summary, build("div", { class: "policy-tables" }, ...tables), this.#readout);
  }

  #row({ name, cells }, row) {
    this.#names.push(name);
    this.#cells.push(cells.map(({ option }, column) => ({
      option, probability: 0,
      node: build("td", { "data-place": `${row} ${column}`, tabindex: row + column === 0 ? 0 : -1 }),
    })));
    const label = rowLabel(name);
    return build("tr", {}, build("th", { scope: "row" }, label), ...this.#cells[row].map(({ node }) => node));
  }

  #fill({ cells }, row) {
    cells.forEach(({ probability }, column) => {
      const cell = this.#cells[row][column];
      cell.probability = probability;
      cell.node.style.setProperty("--share", `${(Math.sqrt(probability) * 100).toFixed(1)}%`);
      cell.node.classList.toggle("is-likely", probability > 0.38);
      cell.node.classList.toggle("is-certain", probability > 0.65);
      const text = `${Math.round(probability * 100)}`;
      write(cell.node, text);
    });
  }

  #read(row, column) {
    this.#cells[this.#chosen[0]]?.[this.#chosen[1]]?.node.setAttribute("tabindex", "-1");
    this.#chosen = [row, column];
    const cell = this.#cells[row]?.[column];
    if (!cell) return;
    cell.node.setAttribute("tabindex", "0");
    const uniform = 100 / this.#cells[row].length;
    const words = `${this.#names[row]}: ${shortOption(cell.option)}, ${(cell.probability * 100).toFixed(1)} % ` +
      `(${uniform.toFixed(1)} % at the start)`;
    write(this.#readout, words);
    cell.node.setAttribute("aria-label", words);
  }
}

/** The table's caption says cell and role, so the row says the rest: "block 2, first". */
function rowLabel(name) {
  const [, block, , side] = name.split(" ");
  return `block ${block}${side ? `, ${["first", "second"][side - 1]}` : ""}`;
}

function most(groups) {
  return groups.flatMap((group) => group.rows).reduce((sum, row) => sum + row.most, 0);
}

function clamp(value, length) {
  return Math.min(Math.max(value, 0), length - 1);
}

customElements.define("policy-map", PolicyMap);
