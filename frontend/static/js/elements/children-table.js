/**
 * <children-table>: the children with a verdict, sorted and paged by the server. It asks again after verdicts, at most
 * every few seconds, of a long search more rarely, and only while it can be seen.
 */

import { get } from "../api.js";
import { milliseconds } from "../drawing/cost_words.js";
import { count, percent, reward, took } from "../drawing/format.js";
import { scoreInWords } from "../drawing/scores.js";
import { searchPaths } from "../live/paths.js";
import { pauseAt } from "../live/pauses.js";
import { build, write } from "./build.js";
import { WhileSeen } from "./while-seen.js";

const SIZE = 8;
const REFRESH_MS = 3000;
const REST_MS = 200; // Where a replay stands so long, its children are asked for without a wait.
const COLUMNS = [ // [sort key of the API or null, heading, whether it starts with the greatest]
  [null, "Cells", false], ["step", "Child", true], ["reward", "Reward", true], ["parameters", "Parameters", false],
  ["mult_adds", "Mult-adds", false], ["seconds", "Time", false],
];
const OF_CANDIDATES = { Cells: "", Child: "Candidate", Reward: "Score" };

class ChildrenTable extends HTMLElement {
  #page = null;
  #sort = "reward";
  #order = "desc";
  #number = 1;
  #pages = 1;
  #done = -1; // Verdicts at the last answer; -1 where another page or order was asked for since.
  #wanted = 0;
  #isOver = false;
  #rest = null;
  #n = 0; // The event that the page shows, which matters on a replay.
  #head = build("tr", {});
  #hasCandidates = false;
  #body = build("tbody", {});
  #place = build("span", { class: "number small" });
  #error = build("p", { class: "small is-error", role: "alert" });
  #clicked = (event) => this.#choose(event.target.closest("button"));
  #whileSeen = new WhileSeen((signal) => this.#ask(signal), {
    pause: () => pauseAt(REFRESH_MS, this.#wanted),
    isWanted: (isSeen) => isSeen && this.#page !== null && this.#wanted !== this.#done,
  });

  connectedCallback() {
    for (const [key, title] of COLUMNS) {
      this.#head.append(build("th", { scope: "col", "data-column": key, class: key ? "is-number" : null },
        key ? build("button", { type: "button", "data-sort": key }, title) : title));
    }
    const pager = build("div", { class: "pager" },
      build("button", { type: "button", class: "button", "data-move": "-1" }, "Previous"), this.#place,
      build("button", { type: "button", class: "button", "data-move": "1" }, "Next"));
    this.append(
      build("div", { class: "table-frame children-frame" },
        build("table", { class: "table" }, build("thead", {}, this.#head), this.#body)), pager, this.#error);
    this.addEventListener("click", this.#clicked);
    this.#whileSeen.start(this);
    this.#mark();
  }

  disconnectedCallback() {
    clearTimeout(this.#rest);
    this.#whileSeen.stop();
    this.removeEventListener("click", this.#clicked);
    this.#head.replaceChildren();
    this.replaceChildren();
  }

  render(state, page) {
    this.#page = page;
    this.#wanted = state.done + state.proposals.done;
    if (this.#isOver !== (state.ended_at !== null)) this.#done = -1; // An empty table then says something else.
    this.#isOver = state.ended_at !== null;
    if (page.is_replay && state.n !== this.#n) {
      clearTimeout(this.#rest);
      this.#rest = setTimeout(() => this.#whileSeen.hurry(), REST_MS);
    }
    this.#n = state.n;
    if (state.shared && !this.#hasCandidates) this.#nameCandidates();
    this.#whileSeen.plan();
  }

  /** With shared weights, the children are candidates and have scores. */
  #nameCandidates() {
    this.#hasCandidates = true;
    for (const node of this.#head.querySelectorAll("th:not(:has(button)), button")) {
      write(node, OF_CANDIDATES[node.textContent] ?? node.textContent);
    }
  }

  #choose(button) {
    if (!button) return;
    if (button.dataset.sort) {
      const startsGreat = COLUMNS.find(([key]) => key === button.dataset.sort)[2];
      const same = button.dataset.sort === this.#sort;
      this.#order = same ? (this.#order === "asc" ? "desc" : "asc") : startsGreat ? "desc" : "asc";
      this.#sort = button.dataset.sort;
      this.#number = 1;
    } else if (button.dataset.move) {
      this.#number = Math.min(Math.max(1, this.#number + Number(button.dataset.move)), this.#pages);
    }
    this.#mark();
    this.#done = -1;
    this.#whileSeen.hurry();
  }

  async #ask(signal) {
    const done = this.#wanted;
    const query = new URLSearchParams({ sort: this.#sort, order: this.#order, page: this.#number, size: SIZE });
    const { children, childrenThen } = searchPaths(this.#page.id);
    const path = this.#page.is_replay ? `${childrenThen}?at=${this.#n}&${query}` : `${children}?${query}`;
    try {
      const answer = await get(path, { signal });
      this.#done = done;
      this.#fill(answer);
      write(this.#error, "");
    } catch (error) {
      if (!signal.aborted) write(this.#error, error.message);
    }
  }

  #fill({ children, page, pages }) {
    this.#number = page;
    this.#pages = pages;
    const rows = new Map([...this.#body.children].map((row) => [row.dataset.child, row]));
    this.#body.replaceChildren(...children.map((child) =>
      rows.get(`${child.step}.${child.slot}`) ?? rowOf(child, this.#page)));
    if (!children.length) {
      const none = build("td", { colspan: COLUMNS.length, class: "quiet" }, noneYet(this.#hasCandidates, this.#isOver));
      this.#body.append(build("tr", {}, none));
    }
    write(this.#place, `page ${this.#number} of ${this.#pages}`);
    this.#mark();
  }

  #mark() {
    for (const cell of this.#head.children) {
      if (!cell.dataset.column) continue;
      const order = this.#order === "asc" ? "ascending" : "descending";
      cell.setAttribute("aria-sort", cell.dataset.column === this.#sort ? order : "none");
    }
    for (const button of this.querySelectorAll("[data-move]")) {
      button.disabled = button.dataset.move === "-1" ? this.#number <= 1 : this.#number >= this.#pages;
    }
  }
}

/** What stands in an empty table: what is waited for, or what to do where nothing will come. */
function noneYet(hasCandidates, isOver) {
  if (isOver) return `${hasCandidates ? "No candidate was drawn" : "No child was trained"}. A clone of this search can start with other settings.`;
  return hasCandidates ? "Candidates are drawn and scored after the last epoch."
    : "No child has ended yet. The first rows come by themselves.";
}

/** page.scale, page.thumbnail: of a search with shared weights, see pages/shared_page.py. */
function rowOf(child, page) {
  const paths = searchPaths(page.id);
  const { accuracy } = child; // There where cost weighs in the reward, which then is no percentage.
  const isWeighed = typeof accuracy === "number";
  const told = child.reason ? "–" : "scale" in page ? scoreInWords(child.reward, page.scale) : reward(child.reward, isWeighed); // Of a failed one nothing was measured.
  const copy = child.twin ? `copy of ${child.twin.join(".")}` : "";
  const latency = child.latency ? milliseconds(child.latency.ms) : "";
  const proposed = child.off_policy ? "proposed by a person, off-policy" : "";
  const found = child.reason ? [child.reason] : [isWeighed ? `accuracy ${percent(accuracy)}` : "", latency, copy];
  const note = [...found, proposed].filter(Boolean).join(", ");
  const cell = (text) => build("td", { class: "is-number" }, text);
  const name = `${child.step}.${child.slot}`;
  const href = paths.child(child.step, child.slot);
  const picture = build("cell-picture", { src: paths.thumbnail(child.step, child.slot, page.thumbnail ?? "normal") });
  return build("tr", { "data-child": name },
    build("td", {}, build("a", { href, class: "thumbnail", tabindex: -1, "aria-hidden": "true" }, picture)),
    build("td", { class: "is-number" }, build("a", { href }, name)),
    build("td", { class: "is-number" }, told, note ? build("span", { class: "quiet small child-note" }, note) : null),
    cell(count(child.parameters)), cell(count(child.mult_adds)), cell(took(child.seconds)));
}

customElements.define("children-table", ChildrenTable);
