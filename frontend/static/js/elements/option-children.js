/**
 * The children that took one option: how many, their mean reward against that of the others, and each with its cell,
 * best first. With shared weights the candidates behind the last epoch, because nothing else is kept as a child.
 */

import { get } from "../api.js";
import { optionInWords } from "../drawing/policy_words.js";
import { reward } from "../drawing/format.js";
import { score, scoreInWords } from "../drawing/scores.js";
import { searchPaths } from "../live/paths.js";
import { build, write } from "./build.js";
import { OptionSteering } from "./option-steering.js";

const SIZE = 6;

export class OptionChildren {
  #title = build("h3", { tabindex: -1 });
  #means = build("p", {});
  #list = build("ul", { class: "option-children" });
  #place = build("span", { class: "number small" });
  #error = build("p", { class: "small is-error", role: "alert" });
  #back = build("button", { type: "button", class: "button", "data-move": "-1" }, "Previous");
  #next = build("button", { type: "button", class: "button", "data-move": "1" }, "Next");
  #pager = build("div", { class: "pager" }, this.#back, this.#place, this.#next);
  #steering = new OptionSteering();
  #cell = null;
  #page = null;
  #results = null;
  #n = 0; // The event that the page shows, which matters on a replay.
  #number = 1;
  #pages = 1;
  #asking = null;

  /** closed(): the panel was closed by button or Escape. */
  constructor(closed) {
    const close = build("button", { type: "button", class: "button is-quiet" }, "Close");
    close.addEventListener("click", closed);
    this.node = build("section", { class: "option-panel", "aria-label": "Children that took the option" },
      build("div", { class: "option-head" }, this.#title, close), this.#steering.node, this.#means, this.#list, this.#pager, this.#error);
    this.node.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      closed();
    });
    this.#pager.addEventListener("click", ({ target }) => {
      const move = Number(target.closest("button")?.dataset.move ?? 0);
      if (!move) return;
      this.#number = Math.min(Math.max(1, this.#number + move), this.#pages);
      this.refresh();
    });
  }

  /** cell: {decision, option, name, text}; page: as live-page hands it on. */
  open(cell, page) {
    this.#cell = cell;
    this.#page = page;
    this.#number = 1;
    this.#steering.at(cell);
    write(this.#title, optionInWords(cell));
    write(this.#means, "");
    this.#list.replaceChildren();
    this.#pager.hidden = true;
    if (this.#results) this.showResults(this.#results);
    this.refresh();
    this.#title.focus({ preventScroll: true });
  }

  /** state: of the search as it is now, or on a replay as it was. */
  steer(state, page) {
    this.#n = state.n;
    this.#steering.show(state, page);
  }

  close() {
    this.#asking?.abort();
    this.node.remove();
    this.#cell = null;
  }

  /** results: of GET /api/searches/{id}/decisions. */
  showResults(results) {
    this.#results = results;
    if (this.#cell) write(this.#means, this.#meansInWords(results));
  }

  /** Ask again for what is shown. */
  async refresh() {
    if (!this.#cell) return;
    this.#asking?.abort();
    const { signal } = (this.#asking = new AbortController());
    const { decision, option } = this.#cell;
    const query = new URLSearchParams({ decision, option, sort: "reward", order: "desc", page: this.#number, size: SIZE });
    const { children, childrenThen } = searchPaths(this.#page.id);
    try {
      const answer = await get(this.#page.is_replay ? `${childrenThen}?at=${this.#n}&${query}` : `${children}?${query}`, { signal });
      if (!signal.aborted) this.#fill(answer);
      write(this.#error, "");
    } catch (error) {
      if (!signal.aborted) write(this.#error, error.message);
    }
  }

  #fill({ children, page, pages, total }) {
    this.#number = page;
    this.#pages = pages;
    const there = new Map([...this.#list.children].map((item) => [item.dataset.child, item]));
    this.#list.replaceChildren(...children.map((child) => there.get(`${child.step}.${child.slot}`) ?? this.#item(child)));
    if (!total) this.#list.append(build("li", { class: "quiet" }, this.#nobody()));
    this.#pager.hidden = pages < 2;
    write(this.#place, `page ${page} of ${pages}`);
    this.#back.disabled = page <= 1;
    this.#next.disabled = page >= pages;
  }

  #item(child) {
    const paths = searchPaths(this.#page.id);
    const name = `${child.step}.${child.slot}`;
    const picture = build("cell-picture", { src: paths.thumbnail(child.step, child.slot, this.#page.thumbnail ?? "normal") });
    return build("li", { "data-child": name },
      build("a", { href: paths.child(child.step, child.slot) }, build("span", { class: "thumbnail" }, picture),
        `${this.#hasCandidates() ? "Candidate" : "Child"} ${name}`),
      build("span", { class: "number" }, child.reason ? "–" : this.#rewardOf(child)),
      build("span", { class: "quiet small" }, child.reason || (child.twin ? `copy of ${child.twin.join(".")}` : "")));
  }

  #rewardOf({ reward: value, accuracy }) {
    return this.#hasCandidates() ? scoreInWords(value, this.#page.scale) : reward(value, typeof accuracy === "number");
  }

  #meansInWords({ counted, mean, decisions, weighs_cost: isWeighed }) {
    const { count, mean: withIt } = decisions[this.#cell.decision].options[this.#cell.option];
    const ones = this.#hasCandidates() ? "candidates" : "children";
    if (!counted) return "";
    if (!count) return `None of the ${counted} ${ones} that count took it.`;
    const written = (value) => (this.#isText() ? `${value.toFixed(4)} (as perplexity ${score(value, this.#page.scale)})` : reward(value, isWeighed));
    const measure = this.#hasCandidates() && !this.#isText() ? "score" : "reward";
    if (count === counted) return `All ${counted} ${ones} that count took it: mean ${measure} ${written(withIt)}.`;
    const without = (mean * counted - withIt * count) / (counted - count);
    return `${count} of ${counted} ${ones} that count took it: mean ${measure} ${written(withIt)}, ` +
      `without it ${written(without)}. The two groups differ in more than this one decision.`;
  }

  #nobody() {
    return this.#hasCandidates()
      ? "With shared weights no architecture is trained by itself while the search runs: candidates are drawn and scored after the last epoch, and those that took this option will stand here."
      : "No child with a verdict took this option so far.";
  }

  #hasCandidates() {
    return "scale" in this.#page;
  }

  /** The reward is then a scale over the perplexity, see pages/shared_page.py. */
  #isText() {
    return typeof this.#page.scale === "number";
  }
}
