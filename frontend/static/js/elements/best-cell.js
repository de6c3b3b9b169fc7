/**
 * <best-cell>: the best child's cells, or the latest child's. Before the first verdict, a child that is trained or
 * drawn; before the first draw, how much is still open. It never claims a best cell where no child has a reward.
 */

import { overBound } from "../drawing/cost_words.js";
import { count, rewardBesideAccuracy } from "../drawing/format.js";
import { openChoices } from "../drawing/open_choices.js";
import { searchPaths } from "../live/paths.js";
import { indexOf } from "../live/places.js";
import { FAILED } from "../live/state.js";
import { build, write, writeAttribute } from "./build.js";
import { kindSwitch, press } from "./kind-switch.js";
import { openCells } from "./open-cells.js";
import { writeExplained } from "./term.js";

const TERMS = { "mult-adds": "mult-adds" };
const KINDS = [["best", "Best"], ["latest", "Latest"]];

class BestCell extends HTMLElement {
  #kind = "best";
  #state = null;
  #page = null;
  #switch = kindSwitch("Which cell", KINDS, (kind) => {
    this.#kind = kind;
    this.render(this.#state, this.#page);
  });
  #title = build("h2", {});
  #picture = build("cell-picture", {});
  #around = build("a", { class: "best-picture", tabindex: -1 }, this.#picture);
  #open = build("div", { class: "best-picture" }); // What stands in its place before the first draw.
  #facts = build("p", { class: "best-facts number" });
  #link = build("a", { class: "button" }, "Architecture");
  #train = build("a", { class: "button is-main" }, "Train this");
  #edit = build("a", { class: "button" }, "Edit");

  connectedCallback() {
    this.append(
      build("div", { class: "card-head" }, this.#title, this.#switch), this.#open, this.#around, this.#facts,
      build("div", { class: "best-actions" }, this.#train, this.#link, this.#edit));
  }

  disconnectedCallback() {
    this.replaceChildren();
  }

  render(state, page) {
    this.#state = state;
    this.#page = page;
    const { child, standing } = chosen(state, this.#kind);
    press(this.#switch, this.#kind, () => state.latest !== null);
    this.#link.hidden = this.#edit.hidden = child === null;
    this.#train.hidden = child?.parameters === undefined; // No verdict yet.
    write(this.#title, standing);
    writeExplained(this.#facts, factsOf(child, state), TERMS);
    this.#around.hidden = child === null;
    this.#open.hidden = child !== null;
    if (child === null) {
      if (!this.#open.firstChild && state.decisions.length) this.#open.append(openCells(state.decisions));
      return;
    }
    const paths = searchPaths(page.id);
    writeAttribute(this.#picture, "src", paths.picture(child.step, child.slot));
    for (const link of [this.#around, this.#link]) writeAttribute(link, "href", paths.child(child.step, child.slot));
    writeAttribute(this.#edit, "href", paths.edit(child.step, child.slot));
    writeAttribute(this.#train, "href", paths.training(child.step, child.slot));
  }
}

/** The child to show and how it stands: of the kind that was asked for, or the nearest there is. */
function chosen(state, kind) {
  const child = state[kind];
  if (child) return { child, standing: `${kind === "best" ? "Best cell" : "Latest cell"}: child ${nameOf(child)}` };
  const [running] = Object.keys(state.running);
  if (running) return { child: placed(running), standing: `Child ${running}, in training` };
  const [drawn] = Object.keys(state.pending);
  if (drawn) return { child: placed(drawn), standing: `Child ${drawn}, drawn` };
  if (state.latest) return { child: state.latest, standing: `Child ${nameOf(state.latest)}, no reward` };
  return { child: null, standing: state.ended_at === null ? "Nothing is drawn yet" : "Nothing was drawn" };
}

function nameOf({ step, slot }) {
  return `${step}.${slot}`;
}

function placed(place) {
  const [step, slot] = place.split(".").map(Number);
  return { step, slot };
}

function factsOf(child, state) {
  if (child === null && state.ended_at !== null) return "A clone of this search can start with other settings.";
  if (child === null) return openChoices(state, "The first are drawn in a moment.");
  if (child.parameters === undefined) {
    return `${nameOf(child) in state.running ? "In training" : "Drawn, not yet trained"}; no child has a reward yet.`;
  }
  const told = child.over ? overBound(child)
    : hasFailed(child, state) || child.reward === null ? "no measured reward"
    : rewardBesideAccuracy(child.reward, child.accuracy);
  return `${told} · ${count(child.parameters)} parameters · ${count(child.mult_adds)} mult-adds`;
}

/** The reward of a child that failed is what the controller was told, not what was measured. */
function hasFailed(child, state) {
  return state.points.some(([index, , flag]) => index === indexOf(child, state) && flag >= FAILED);
}

customElements.define("best-cell", BestCell);
