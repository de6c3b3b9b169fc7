/**
 * <derived-networks>: the best candidates as they are trained from scratch, with what came of it. Before the end, what
 * will be. It asks again while one of them is trained, and only while it can be seen.
 */

import { get } from "../api.js";
import { count, percent, perplexity } from "../drawing/format.js";
import { searchPaths } from "../live/paths.js";
import { build, write } from "./build.js";
import { explained } from "./term.js";
import { WhileSeen } from "./while-seen.js";

const TERMS = { candidate: "candidate", "held-out": "held-out" };
const REFRESH_MS = 3000;
const HEADS = ["", "Network", "Candidate", "Epochs", "Parameters", "Held-out", "Test", "State"];

class DerivedNetworks extends HTMLElement {
  #page = null;
  #isText = false;
  #isOver = false;
  #isOpen = true; // Whether something may change without a sign from the search.
  #shown = "";
  #words = build("p", { class: "derived-words" });
  #body = build("tbody", {});
  #table = build("div", { class: "table-frame", hidden: true, tabindex: 0, role: "group", "aria-label": "Networks trained from scratch" },
    build("table", { class: "table" }, build("thead", {}, build("tr", {}, ...HEADS.map((head) =>
      build("th", { scope: "col" }, ...explained(head, TERMS))))), this.#body));
  #whileSeen = new WhileSeen((signal) => this.#ask(signal), {
    pause: REFRESH_MS,
    isWanted: (isSeen) => isSeen && this.#isOver && this.#isOpen,
    cameNear: () => (this.#isOpen = true),
  });

  connectedCallback() {
    this.append(this.#words, this.#table);
    this.#whileSeen.start(this);
  }

  disconnectedCallback() {
    this.#whileSeen.stop();
    this.replaceChildren();
  }

  render(state, page) {
    this.#page = page;
    this.#isText = state.shared.is_text;
    if (state.state !== "finished") {
      write(this.#words, beforeTheEnd(state, page));
      return;
    }
    if (this.#isOver) return;
    this.#isOver = true;
    if (!page.trained) write(this.#words, "None was asked for. Any candidate can be trained from its page.");
    this.#whileSeen.plan();
  }

  async #ask(signal) {
    try {
      const { trainings: all } = await get(searchPaths(this.#page.id).trainings, { signal });
      const trainings = all.filter(({ for_meter: isOfMeter }) => !isOfMeter); // Those stand in <honesty-meter>.
      this.#isOpen = trainings.some(({ state }) => state === "running" || state === "paused");
      this.#show(trainings.toReversed()); // The API has the newest first.
    } catch {
      // The next time tells.
    }
  }

  #show(trainings) {
    const key = JSON.stringify(trainings);
    if (key === this.#shown) return;
    this.#shown = key;
    this.#table.hidden = !trainings.length;
    if (!trainings.length) {
      if (this.#page.trained) write(this.#words, "No candidate was trained: the log says why.");
      return;
    }
    write(this.#words, this.#isText
      ? "Trained by itself from new weights; its perplexity is what counts, and only on this text."
      : "Trained by itself from new weights; its accuracy is what counts, and not the score before.");
    const old = new Map([...this.#body.children].map((row) => [row.dataset.key, row]));
    this.#body.replaceChildren(...trainings.map((training) => {
      const own = JSON.stringify(training);
      return old.get(own) ?? rowOf(training, own, this.#page, this.#isText);
    }));
  }
}

function beforeTheEnd({ ended_at: ended, total, shared: { epochs } }, { trained }) {
  if (ended !== null) return "The search ended before a network was derived.";
  const then = trained === 0 ? "none is trained by itself, because the settings say so"
    : `the best ${trained === 1 ? "one is" : `${trained} are`} trained from scratch, with new weights`;
  return `After ${epochs === 1 ? "the epoch" : `${epochs} epochs`} ${total} candidates are drawn from the final policy and scored; ${then}.`;
}

function rowOf(training, key, page, isText) {
  const { child, url, name } = training;
  const figure = (share, other) => (isText ? perplexity(other) : percent(share));
  const cells = child && searchPaths(page.id);
  const picture = child && build("a", { href: url, class: "thumbnail", tabindex: -1, "aria-hidden": "true" },
    build("cell-picture", { src: cells.thumbnail(child.step, child.slot, page.thumbnail) }));
  const candidate = child && build("a", { href: cells.child(child.step, child.slot) }, `${child.step}.${child.slot}`);
  const number = (text) => build("td", { class: "is-number" }, text);
  return build("tr", { "data-key": key },
    build("td", {}, picture), build("td", {}, build("a", { href: url }, name || "Training")), build("td", {}, candidate ?? "–"),
    number(`${training.epochs_done} of ${training.epochs}`), number(count(training.parameters)),
    number(figure(training.held_out_accuracy, training.held_out_perplexity)),
    number(training.state === "running" ? "after the end" : figure(training.test_accuracy, training.test_perplexity)),
    build("td", {}, build("span", { class: `state is-${training.state}` }, training.state),
      training.reason ? build("span", { class: "derived-reason small" }, training.reason) : null));
}

customElements.define("derived-networks", DerivedNetworks);
