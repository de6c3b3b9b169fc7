/**
 * <compare-decisions>: the children of one search as lines over its decisions. Options are buttons: what is pressed is
 * kept, the rest fades. Arrow keys go from option to option, Enter or space presses one.
 */

import { get } from "../api.js";
import { AXIS_WIDTH, axisX, HEAD, HEIGHT, isPicked, optionY, paths, pickedWords, stackedName, width } from "../drawing/decision_paths.js";
import { percent } from "../drawing/format.js";
import { shortOption } from "../drawing/option_names.js";
import { build, buildSvg, write } from "./build.js";
import { explained } from "./term.js";

const TERMS = { decision: "decision", reward: "rewards", child: "child" };
const KEYS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
const MOST_ROWS = 30;

class CompareDecisions extends HTMLElement {
  #shown = null;
  #picked = [];
  #at = [0, 0]; // The option that the keyboard is on: axis and place.
  #frame = build("div", { class: "decisions-frame" });
  #words = build("p", { class: "small", role: "status", "aria-live": "polite" });
  #hint = build("p", { class: "small quiet" });
  #clear = build("button", { class: "button", type: "button", hidden: true }, "Pick nothing");
  #table = build("div", { class: "table-frame" });
  #matter = build("div", { class: "table-frame" });
  #more = build("details", { hidden: true }, build("summary", {}, "The same as tables"), this.#matter, this.#table);

  connectedCallback() {
    this.append(this.#hint, this.#frame, this.#words, this.#clear, this.#more);
    this.querySelector("select").addEventListener("change", () => this.#load());
    this.#clear.addEventListener("click", () => {
      this.#picked.forEach((options) => options.clear());
      this.#mark();
    });
    this.#frame.addEventListener("click", (event) => this.#press(event.target.closest(".decision-option")));
    this.#frame.addEventListener("keydown", (event) => this.#key(event));
    this.#load();
  }

  async #load() {
    const id = this.querySelector("select").value;
    try {
      const shown = await get(`/api/searches/${id}/decision-lines`);
      if (id !== this.querySelector("select").value) return; // Another was chosen meanwhile.
      this.#shown = { ...shown, paths: paths(shown.axes, shown.lines) };
      this.#picked = shown.axes.map(() => new Set());
      this.#at = [0, 0];
      this.#draw();
    } catch (error) {
      write(this.#words, error.message);
    }
  }

  #draw() {
    const { axes, lines, decisions, counted } = this.#shown;
    this.#more.hidden = !lines.length;
    if (!lines.length) {
      this.#frame.replaceChildren();
      this.#clear.hidden = true;
      write(this.#hint, "");
      return write(this.#words, "No child of this search has a reward so far. Lines come with the first ones.");
    }
    const of = axes.length < decisions ? `The ${axes.length} of ${decisions} decisions that most surely matter. ` : "";
    const some = lines.length < counted ? `${lines.length} of ${counted.toLocaleString("en")} children, evenly by reward, best and worst among them. ` : "";
    write(this.#hint, `${of}${some}Below its name stands how much of the rewards a decision explains; with a question mark it may be chance. Strong lines have a high reward. Press options to keep the children that took them.`);
    this.#frame.replaceChildren(this.#svg());
    this.#matter.replaceChildren(importanceTable(axes));
    this.#mark();
    return undefined;
  }

  #svg() {
    const { axes, paths: shown } = this.#shown;
    return buildSvg("svg", { class: "decision-lines", width: width(axes), height: HEIGHT, viewBox: `0 0 ${width(axes)} ${HEIGHT}`, role: "group", "aria-label": "Children as lines over decisions" },
      ...shown.map((line) => buildSvg("polyline", { class: `decision-line is-rank-${line.rank}`, points: line.points })),
      ...axes.flatMap((axis, place) => axisNodes(axis, place)));
  }

  /** What is picked shows, and the tables follow. */
  #mark() {
    const { lines, is_share: isShare } = this.#shown;
    const told = (value) => (isShare ? percent(value) : value.toFixed(4));
    this.#frame.querySelectorAll(".decision-line").forEach((node, at) => node.classList.toggle("is-faded", !isPicked(lines[at], this.#picked)));
    for (const node of this.#frame.querySelectorAll(".decision-option")) {
      const [place, option] = placeOf(node);
      node.setAttribute("aria-pressed", String(this.#picked[place].has(option)));
      node.setAttribute("tabindex", place === this.#at[0] && option === this.#at[1] ? "0" : "-1");
    }
    this.#clear.hidden = this.#picked.every((options) => options.size === 0);
    write(this.#words, pickedWords(lines, this.#picked, told));
    const through = lines.filter((line) => isPicked(line, this.#picked)).reverse().slice(0, MOST_ROWS);
    this.#table.replaceChildren(childrenTable(this.#shown.axes, through, told));
  }

  #press(node) {
    if (!node) return;
    const [place, option] = placeOf(node);
    this.#at = [place, option];
    if (!this.#picked[place].delete(option)) this.#picked[place].add(option);
    this.#mark();
  }

  #key(event) {
    const node = event.target.closest(".decision-option");
    if (!node) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      return this.#press(node);
    }
    if (!(event.key in KEYS)) return undefined;
    event.preventDefault();
    const [right, down] = KEYS[event.key];
    const { axes } = this.#shown;
    const place = within(this.#at[0] + right, axes.length);
    this.#at = [place, within(this.#at[1] + down, axes[place].options.length)];
    this.#mark();
    this.#frame.querySelector('.decision-option[tabindex="0"]').focus();
    return undefined;
  }
}

function within(value, count) {
  return Math.min(Math.max(value, 0), count - 1);
}

function placeOf(node) {
  return [Number(node.dataset.axis), Number(node.dataset.option)];
}

function axisNodes({ name, options, importance }, place) {
  const x = axisX(place);
  const [first, second] = stackedName(name);
  const words = importance ? `${name}: explains ${percent(importance.share)} of the rewards${importance.may_be_chance ? ", which may be chance" : ""}` : name;
  return [
    buildSvg("text", { class: "decision-name", x: x - 6, y: 11 }, buildSvg("title", {}, words), first),
    buildSvg("text", { class: "decision-name", x: x - 6, y: 23 }, second),
    buildSvg("text", { class: "decision-share", x: x - 6, y: 36 }, importance ? `${Math.round(100 * importance.share)} %${importance.may_be_chance ? "?" : ""}` : ""),
    buildSvg("line", { class: "decision-axis", x1: x, x2: x, y1: HEAD, y2: HEIGHT - 8 }),
    ...options.map((option, at) => {
      const y = optionY(options, at);
      return buildSvg("g", { class: "decision-option", role: "button", "data-axis": place, "data-option": at, "aria-label": `${name}: ${option}` },
        buildSvg("rect", { x: x - 6, y: y - 10, width: AXIS_WIDTH - 14, height: 20, rx: 4 }),
        buildSvg("circle", { cx: x, cy: y, r: 3.5 }),
        buildSvg("text", { x: x + 8, y: y + 4 }, shortOption(option)));
    }),
  ];
}

function importanceTable(axes) {
  const rows = axes.map(({ name, importance }) => build("tr", {}, build("th", { scope: "row" }, name),
    build("td", { class: "is-number" }, importance ? percent(importance.share) : "–"),
    build("td", { class: "is-number" }, importance ? percent(importance.by_chance) : "–"),
    build("td", {}, importance ? (importance.may_be_chance ? "may be chance" : "more than chance") : "too few children")));
  return build("table", { class: "table small" }, build("caption", { class: "only-read" }, "How much each decision explains"),
    heads("Decision", "Explains of the rewards", "By chance alone", "Test"), build("tbody", {}, ...rows));
}

function childrenTable(axes, lines, told) {
  const rows = lines.map((line) => build("tr", {}, build("th", { scope: "row" }, build("a", { href: line.url }, `${line.step}.${line.slot}`)),
    build("td", { class: "is-number" }, told(line.reward)),
    ...line.taken.map((option, place) => build("td", {}, shortOption(axes[place].options[option])))));
  return build("table", { class: "table small" }, build("caption", { class: "only-read" }, "The best of the children that are kept"),
    heads("Child", "Reward", ...axes.map(({ name }) => name)), build("tbody", {}, ...rows));
}

function heads(...titles) {
  return build("thead", {}, build("tr", {}, ...titles.map((title) => build("th", { scope: "col" }, ...explained(title, TERMS)))));
}

customElements.define("compare-decisions", CompareDecisions);
