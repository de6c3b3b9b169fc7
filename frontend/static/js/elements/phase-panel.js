/** <phase-panel>: what goes on now, for how long already, and how long that should take. */

import { duration } from "../drawing/format.js";
import { phaseElapsed, phaseExpected, phaseOf } from "../drawing/shared_progress.js";
import { now } from "../live/now.js";
import { build, write } from "./build.js";

const TICK_MS = 1000;
const SAYS = {
  share: "The shared weights learn: every minibatch under another architecture, which alone it changes.",
  teach: "The controller learns: it draws architectures, the shared weights score them on validation minibatches and stay as they are.",
  derive: "Candidates are drawn from the final policy, and the shared weights score all of them on one minibatch.",
};
const LEARNS_NOTHING = "Architectures are drawn uniformly and scored; nothing learns in this half.";

class PhasePanel extends HTMLElement {
  #state = null;
  #page = null;
  #timer = null;
  #listening = null;
  #isAlone = false;
  #title = build("p", { class: "phase-title" });
  #bar = build("progress", { max: 1, value: 0, "aria-label": "Part of this phase, by the time of the ones before" });
  #time = build("p", { class: "number" });
  #words = build("p", { class: "quiet small" });

  connectedCallback() {
    this.append(this.#title, this.#bar, this.#time, this.#words);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#listening = this.closest("live-page");
    this.#listening?.addEventListener("workers-seen", this);
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
    this.#listening?.removeEventListener("workers-seen", this);
    this.replaceChildren();
  }

  /** The events of a phase come at its end: whether anybody is on it the panel of workers knows. */
  handleEvent({ detail: { isAlone } }) {
    this.#isAlone = isAlone;
    this.#tick();
  }

  render(state, page) {
    this.#state = state;
    this.#page = page;
    const { phase, epoch } = phaseOf(state);
    const { epochs } = state.shared;
    const isPaused = state.state === "paused";
    write(this.#title, phase === "over" ? ended(state)
      : phase === "derive" ? "All epochs are over" : `Epoch ${epoch} of ${epochs}`);
    const says = phase === "teach" && !page.learns ? LEARNS_NOTHING : SAYS[phase] ?? "";
    write(this.#words, isPaused ? "Paused: nobody begins anything new. What was under way stops at its next checkpoint and goes on from there." : says);
    this.#bar.hidden = this.#time.hidden = phase === "over";
    this.#tick();
  }

  #tick() {
    if (!this.#state || phaseOf(this.#state).phase === "over") return;
    const passed = phaseElapsed(this.#state, now());
    const expected = phaseExpected(this.#state);
    write(this.#time, this.#isAlone && passed !== null ? "Waits for a worker." : inWords(passed, expected, this.#state, this.#page));
    const part = passed !== null && expected ? Math.min(passed / expected, 1) : 0;
    if (this.#bar.value !== part) this.#bar.value = part;
  }
}

function inWords(passed, expected, state, { epoch_seconds: epochSeconds }) {
  if (passed === null) return "Waits until it is resumed.";
  const so = `for ${duration(passed)}`;
  if (expected) return `${so} of about ${duration(expected)}`;
  if (!state.shared.steps_told && epochSeconds) return `${so}; a whole epoch should take about ${duration(epochSeconds)}`;
  return so;
}

function ended({ state, shared: { steps_told: told, epochs } }) {
  return state === "finished" ? `The search is over: ${epochs} epochs and the candidates.`
    : `The search was ${state === "failed" ? "ended by a failure" : "stopped"} after ${told} of ${epochs} epochs.`;
}

customElements.define("phase-panel", PhasePanel);
