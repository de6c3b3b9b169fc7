/** <best-cell>: the best child's cells, or the latest child's; before the first verdict, a child that is training. */

import { count, percent } from "../drawing/format.js";
import { searchPaths } from "../live/paths.js";
import { build, write } from "./build.js";

const KINDS = [["best", "Best"], ["latest", "Latest"]];

class BestCell extends HTMLElement {
  #kind = "best";
  #state = null;
  #page = null;
  #switch = build("div", { class: "switch", role: "group", "aria-label": "Which cell" });
  #title = build("h2", {});
  #picture = build("cell-picture", {});
  #around = build("a", { class: "best-picture", tabindex: -1 }, this.#picture);
  #facts = build("p", { class: "best-facts number" });
  #link = build("a", { class: "button" }, "Architecture");
  #train = build("a", { class: "button is-main" }, "Train this");
  #clicked = (event) => {
    const kind = event.target.closest("button")?.dataset.kind;
    if (!kind) return;
    this.#kind = kind;
    this.render(this.#state, this.#page);
  };

  connectedCallback() {
    for (const [kind, name] of KINDS) {
      this.#switch.append(build("button", { type: "button", "data-kind": kind }, name));
    }
    this.#switch.addEventListener("click", this.#clicked);
    this.append(
      build("div", { class: "card-head" }, this.#title, this.#switch), this.#around, this.#facts,
      build("div", { class: "best-actions" }, this.#train, this.#link));
  }

  disconnectedCallback() {
    this.#switch.removeEventListener("click", this.#clicked);
    this.#switch.replaceChildren();
    this.replaceChildren();
  }

  render(state, page) {
    this.#state = state;
    this.#page = page;
    const child = state[this.#kind] ?? firstAtWork(state);
    for (const button of this.#switch.children) {
      button.setAttribute("aria-pressed", String(button.dataset.kind === this.#kind));
      button.disabled = state.latest === null;
    }
    this.#link.hidden = child === null;
    this.#train.hidden = state[this.#kind] === null;
    write(this.#title, titleOf(child, state[this.#kind] !== null, this.#kind));
    write(this.#facts, factsOf(child));
    if (child === null) return;
    const paths = searchPaths(page.id);
    set(this.#picture, "src", paths.picture(child.step, child.slot));
    for (const link of [this.#around, this.#link]) set(link, "href", paths.child(child.step, child.slot));
    set(this.#train, "href", paths.training(child.step, child.slot));
  }
}

function firstAtWork(state) {
  const [place] = Object.keys(state.running).concat(Object.keys(state.pending));
  if (place === undefined) return null;
  const [step, slot] = place.split(".").map(Number);
  return { step, slot };
}

function titleOf(child, isFinal, kind) {
  if (child === null) return "Waiting for the first cell";
  if (!isFinal) return `Child ${child.step}.${child.slot}, in training`;
  return `${kind === "best" ? "Best cell" : "Latest cell"}: child ${child.step}.${child.slot}`;
}

function factsOf(child) {
  if (child === null) return "The controller is drawing the first architectures.";
  if (child.parameters === undefined) return "No child has ended yet.";
  const reward = child.reward === null ? "no reward" : percent(child.reward);
  return `${reward} · ${count(child.parameters)} parameters · ${count(child.mult_adds)} mult-adds`;
}

function set(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

customElements.define("best-cell", BestCell);
