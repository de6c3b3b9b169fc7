/**
 * <shared-architecture>: the best or a sampled architecture of the latest epoch, or the best candidate once candidates
 * are there. Before the first controller phase, what the shared weights learned under last; before that, one of the space.
 */

import { count } from "../drawing/format.js";
import { openChoices } from "../drawing/open_choices.js";
import { scoreInWords } from "../drawing/scores.js";
import { searchPaths } from "../live/paths.js";
import { build, write, writeAttribute } from "./build.js";
import { kindSwitch, press } from "./kind-switch.js";

const KINDS = [["best", "Best"], ["sampled", "Sampled"], ["derived", "Derived"]];

class SharedArchitecture extends HTMLElement {
  #kind = null; // What was asked for; until then the furthest there is.
  #state = null;
  #page = null;
  #switch = kindSwitch("Which architecture", KINDS, (kind) => {
    this.#kind = kind;
    this.render(this.#state, this.#page);
  });
  #title = build("h2", {});
  #picture = build("cell-picture", {});
  #around = build("div", { class: "best-picture", tabindex: 0, role: "group", "aria-label": "Picture" }, this.#picture);
  #facts = build("p", { class: "best-facts number" });
  #train = build("a", { class: "button is-main", hidden: true }, "Train this");
  #link = build("a", { class: "button", hidden: true }, "Architecture");
  #edit = build("a", { class: "button", hidden: true }, "Edit");

  connectedCallback() {
    this.append(build("div", { class: "card-head" }, this.#title, this.#switch), this.#around, this.#facts,
      build("div", { class: "best-actions" }, this.#train, this.#link, this.#edit));
  }

  disconnectedCallback() {
    this.replaceChildren();
  }

  render(state, page) {
    this.#state = state;
    this.#page = page;
    const shown = chosen(state, page, this.#kind);
    press(this.#switch, shown.kind, (kind) => (kind === "derived" ? state.best : state.shared[kind]) !== null);
    write(this.#title, shown.title);
    write(this.#facts, shown.facts);
    this.#around.hidden = shown.source === null;
    writeAttribute(this.#picture, "src", shown.source);
    const child = shown.kind === "derived" ? state.best : null;
    this.#train.hidden = this.#link.hidden = this.#edit.hidden = child === null;
    if (child === null) return;
    const paths = searchPaths(page.id);
    writeAttribute(this.#train, "href", paths.training(child.step, child.slot));
    writeAttribute(this.#edit, "href", paths.edit(child.step, child.slot));
    writeAttribute(this.#link, "href", paths.child(child.step, child.slot));
  }
}

/** {kind, title, facts, source}: of the kind that was asked for, or the furthest there is. */
function chosen(state, page, asked) {
  const { shared, best } = state;
  const kind = asked ?? (best ? "derived" : "best");
  const paths = searchPaths(page.id);
  if (kind === "derived" && best) {
    return { kind, title: `Best candidate: ${best.step}.${best.slot}`, source: paths.picture(best.step, best.slot),
      facts: `${scoreInWords(best.reward, page.scale)} · ${count(best.parameters)} parameters, trained from scratch · ` +
        `${count(best.mult_adds)} mult-adds` };
  }
  const scored = shared[kind === "sampled" ? "sampled" : "best"];
  if (scored) {
    const which = kind === "sampled" ? "Sampled" : "Best";
    return { kind: kind === "sampled" ? kind : "best", title: `${which} of epoch ${scored.step + 1}`,
      source: paths.ofEpoch(scored.step, kind === "sampled" ? kind : "best"),
      facts: `${scoreInWords(scored.reward, page.scale)} on one validation minibatch, under shared weights` };
  }
  if (shared.drawn) {
    return { kind: null, title: `Learned under in epoch ${shared.drawn.step + 1}`, source: paths.ofEpoch(shared.drawn.step, "learned"),
      facts: "One of many that the shared weights learned under; no architecture has a score yet." };
  }
  return { kind: null, title: state.ended_at === null ? "Nothing is scored yet" : "Nothing was scored",
    source: state.decisions.length ? paths.example : null, facts: openChoices(state, "This is one, drawn uniformly.") };
}

customElements.define("shared-architecture", SharedArchitecture);
