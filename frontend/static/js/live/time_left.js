/**
 * How long the stream of a page still takes, as the server tells it: it knows the workers and who else they serve. It is
 * asked when the page opens and then twice a minute, only while the page is looked at and the stream runs; in between it
 * is counted down. Whoever may not ask, or has no answer yet, gets null.
 */

import { get } from "../api.js";
import { WhileSeen } from "../elements/while-seen.js";

const ASK_MS = 30_000;

export class TimeLeft {
  #path;
  #isRunning = false;
  #told = null; // {seconds, at}: at by this browser's clock.
  #plan = () => this.#whileSeen.plan();
  #whileSeen = new WhileSeen((signal) => this.#ask(signal), {
    pause: ASK_MS, isWanted: (isSeen) => isSeen && this.#isRunning && !document.hidden,
  });

  constructor({ kind, id }) {
    this.#path = `/api/${kind === "search" ? "searches" : "trainings"}/${id}/time-left`;
  }

  start(node) {
    this.#whileSeen.start(node);
    document.addEventListener("visibilitychange", this.#plan);
  }

  stop() {
    this.#whileSeen.stop();
    document.removeEventListener("visibilitychange", this.#plan);
  }

  /** To be called with every state. What was told before a pause holds no longer. */
  follow({ state }) {
    const isRunning = state === "running";
    if (isRunning === this.#isRunning) return;
    this.#isRunning = isRunning;
    this.#told = null;
    this.#whileSeen.hurry();
  }

  /** Seconds, or null. */
  seconds() {
    if (this.#told === null) return null;
    return Math.max(0, this.#told.seconds - (performance.now() - this.#told.at) / 1000);
  }

  async #ask(signal) {
    const answer = await get(this.#path, { signal }).catch(() => null); // The next time tells.
    const seconds = answer?.seconds ?? null;
    if (!signal.aborted) this.#told = seconds === null ? null : { seconds, at: performance.now() };
  }
}
