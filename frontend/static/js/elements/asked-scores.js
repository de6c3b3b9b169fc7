/**
 * <asked-scores>: the architectures whose score somebody asked of the shared weights, the newest first, each with its
 * picture. It asks every second while one of them waits, and only while it can be seen.
 */

import { get, post } from "../api.js";
import { clock } from "../drawing/format.js";
import { searchPaths } from "../live/paths.js";
import { build, write } from "./build.js";
import { WhileSeen } from "./while-seen.js";

const REFRESH_MS = 1000;
const NOTHING = "Nothing was asked so far. Open any architecture in the editor, change it as you like, and ask for its score " +
  "there: these weights answer within seconds, also while the search runs, and nothing of the search changes.";
const MARKS = { waiting: "running", answered: "finished", refused: "failed" };

class AskedScores extends HTMLElement {
  #page = null;
  #isOpen = true; // Whether something may have changed.
  #known = "";
  #rows = new Map(); // id -> {key, node}: a row that says the same stays the same node.
  #parts = null;
  #whileSeen = new WhileSeen((signal) => this.#ask(signal), {
    pause: REFRESH_MS,
    isWanted: (isSeen) => isSeen && this.#isOpen && this.#page !== null,
    cameNear: () => (this.#isOpen = true),
  });

  connectedCallback() {
    this.#whileSeen.start(this);
  }

  disconnectedCallback() {
    this.#whileSeen.stop();
    this.#parts = null;
    this.#known = "";
    this.#rows.clear();
    this.replaceChildren();
  }

  render(state, page) {
    this.#page = page;
    if (!this.#parts) this.#lay();
    const known = `${state.state} ${state.shared.steps_told}`;
    if (known === this.#known) return;
    this.#known = known;
    this.#isOpen = true;
    this.#whileSeen.plan();
  }

  get #api() {
    return `${searchPaths(this.#page.id).api}/scores`;
  }

  async #ask(signal) {
    try {
      const { scores, is_open: isOpen } = await get(this.#api, { signal });
      this.#isOpen = isOpen;
      this.#show(scores);
    } catch {
      // The next time tells.
    }
  }

  #lay() {
    this.#parts = {
      nothing: build("p", { class: "quiet" }, NOTHING), list: build("ol", { class: "asked-list", hidden: true }),
      problem: build("p", { class: "action-error small", role: "alert" }),
    };
    this.replaceChildren(...Object.values(this.#parts));
  }

  #show(scores) {
    const { nothing, list } = this.#parts;
    nothing.hidden = scores.length > 0;
    list.hidden = scores.length === 0;
    const nodes = scores.map((one) => this.#row(one));
    if (nodes.length !== list.children.length || nodes.some((node, place) => node !== list.children[place])) {
      list.replaceChildren(...nodes);
    }
    for (const id of this.#rows.keys()) if (!scores.some((one) => one.id === id)) this.#rows.delete(id);
  }

  #row(one) {
    const key = JSON.stringify([one.state, one.sentences]);
    const { key: before, node = this.#laidRow(one) } = this.#rows.get(one.id) ?? {};
    if (key !== before) {
      const state = node.querySelector(".state");
      write(state, one.state);
      state.className = `state is-${MARKS[one.state]}`;
      const [first, ...rest] = one.sentences;
      write(node.querySelector(".asked-score"), first);
      write(node.querySelector(".asked-beside"), rest.join(" "));
      node.querySelector("button").hidden = one.state === "waiting";
      this.#rows.set(one.id, { key, node });
    }
    return node;
  }

  #laidRow(one) {
    const again = build("button", { class: "button", type: "button", hidden: true }, "Ask again");
    again.addEventListener("click", () => this.#again(again, one.architecture));
    const picture = build("a", { class: "asked-picture", href: one.picture, "aria-label": `Picture of architecture ${one.hash.slice(0, 8)}` },
      build("cell-picture", { src: one.picture }));
    return build("li", {}, picture, build("div", { class: "asked-said" },
      build("p", { class: "small" }, build("span", { class: "state" }), " ", build("code", {}, one.hash.slice(0, 8)), ` asked at ${clock(one.asked)}`),
      build("p", { class: "asked-score", role: "status" }), build("p", { class: "asked-beside small quiet" }), again));
  }

  async #again(button, architecture) {
    button.disabled = true;
    write(this.#parts.problem, "");
    try {
      await post(this.#api, { architecture });
      this.#isOpen = true;
      this.#whileSeen.hurry();
    } catch (error) {
      write(this.#parts.problem, error.message);
    }
    button.disabled = false;
  }
}

customElements.define("asked-scores", AskedScores);
