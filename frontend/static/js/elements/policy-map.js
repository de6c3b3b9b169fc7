/**
 * <policy-map>: how probable the controller finds every option of every decision. The darker, the more probable; at
 * first all options of a decision are alike, or with shared weights not known until the first controller phase is over. Hover a cell, or move over the map with the arrow keys, to read it.
 */

import { mostEntropy, policyGroups } from "../drawing/policy_rows.js";
import { shortOption, stackedOption } from "../drawing/option_names.js";
import { build, write } from "./build.js";

class PolicyMap extends HTMLElement {
  #cells = []; // By row: [{node, name, option, probability, alike}], in the order in which they stand.
  #readout = build("p", { class: "policy-readout number", "aria-live": "off" });
  #summary = build("p", { class: "quiet small number" });
  #key = null;
  #alike = ""; // When, or where, all options of a decision are alike.
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
    const key = `${state.policy?.step ?? "uniform"} ${state.shared ? state.proposed : ""}`;
    if (key === this.#key) return;
    this.#key = key;
    this.#alike = state.shared ? "were all alike" : "at the start";
    write(this.#summary, summary(state));
    if (state.shared && !state.policy) {
      this.replaceChildren(this.#summary);
      return;
    }
    const groups = policyGroups(state);
    if (!this.#cells.length) this.#lay(groups);
    groups.flatMap((group) => group.rows).forEach((row, place) => this.#fill(row, place));
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
    const inTwos = tables.length % 3 ? " is-in-twos" : "";
    this.replaceChildren(this.#summary, build("div", { class: `policy-tables${inTwos}` }, ...tables), this.#readout);
  }

  #row({ label, cells }, row) {
    this.#cells.push(cells.map((cell, column) => ({
      ...cell, node: build("td", { "data-place": `${row} ${column}`, tabindex: row + column === 0 ? 0 : -1 }),
    })));
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
    const what = cell.name.endsWith(cell.option) ? cell.name : `${cell.name}: ${shortOption(cell.option)}`;
    const words = `${what}, ${(cell.probability * 100).toFixed(1)} % (${(cell.alike * 100).toFixed(1)} % ${this.#alike})`;
    write(this.#readout, words);
    cell.node.setAttribute("aria-label", words);
  }
}

function summary({ decisions, policy, shared, proposed }) {
  const most = mostEntropy(decisions).toFixed(2);
  if (!policy) {
    return shared ? `It is drawn after the first controller phase: ${decisions.length} decisions, at most ${most} nats of entropy.`
      : `Before the first draw every option is alike: ${most} nats.`;
  }
  const when = !shared ? `Step ${policy.step}` : proposed ? "The candidates" : `After epoch ${policy.step + 1}`;
  return `${when}: entropy ${policy.entropy.toFixed(2)} nats of ${most}.`;
}

function clamp(value, length) {
  return Math.min(Math.max(value, 0), length - 1);
}

customElements.define("policy-map", PolicyMap);
