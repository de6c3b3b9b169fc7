/**
 * A replay: which event is shown, and how it moves on. It hands every frame to draw(state, at, player), and tells
 * whoever listens how it goes. One way is gone at a time; the last wish counts.
 */

import { get } from "../api.js";
import { Frames, NEAR } from "./frames.js";
import { streamPaths } from "./paths.js";
import { setNow } from "./now.js";

const TICK_MS = 100;
const LOOK_MS = 10000; // So often it is asked whether the stream has become longer.
export const WHOLE_SECONDS = 30; // For everything, at the speed that is called so.

export class Player {
  #frames;
  #frame; // {state, at} as shown.
  #draw;
  #listener = () => {};
  #goal;
  #way = null; // Aborts the way that is gone.
  #path;
  #timer = null;
  #look = null;
  #speed = null; // Null while it stands; "whole", or how much faster than it happened.
  #moment = 0; // Seconds since 1970, while it plays by time.
  #place = 0; // Events with a fraction, while it plays by events.
  #ticked = 0;
  timeline = { last: 0, ticks: [], marks: [] };
  problem = "";

  /** page: with at, last and wanted, see pages/replay_pages.py. */
  constructor({ state, page, draw }) {
    this.#frames = new Frames(page, { state, at: page.at }, page.last);
    this.#frame = { state, at: page.at };
    this.#goal = page.wanted;
    this.#path = `${streamPaths(page).api}/timeline`;
    this.#draw = draw;
  }

  open() {
    this.#show(this.#frame);
    this.#learn();
    this.#look = setInterval(() => this.#learn(), LOOK_MS);
    if (this.#goal !== this.n) this.go(this.#goal);
  }

  close() {
    this.pause();
    clearInterval(this.#look);
    this.#way?.abort();
    setNow(null);
  }

  /** listener(player): called whenever something of it changed. */
  listen(listener) {
    this.#listener = listener;
    listener(this);
  }

  get n() {
    return this.#frame.state.n;
  }

  get at() {
    return this.#frame.at;
  }

  get state() {
    return this.#frame.state;
  }

  get last() {
    return this.#frames.last;
  }

  get goal() {
    return this.#goal;
  }

  /** Whether nothing more will happen in the stream. */
  get isOver() {
    return this.timeline.marks.some(({ kind }) => kind === "end");
  }

  get isPlaying() {
    return this.#speed !== null;
  }

  /** Show event n, or the first or last where there is no such one. */
  async go(n) {
    this.#goal = Math.min(Math.max(1, Math.round(n)), this.last);
    this.#way?.abort();
    const { signal } = (this.#way = new AbortController());
    this.problem = "";
    this.#listener(this);
    try {
      const frame = await this.#frames.at(this.#goal, { signal, told: (near) => this.#tell(near, signal) });
      if (!signal.aborted) this.#show(frame);
    } catch (error) {
      if (!signal.aborted) this.#complain(error);
    } finally {
      if (this.#way?.signal === signal) this.#way = null;
    }
  }

  /** speed: "whole", or how much faster than it happened. */
  play(speed) {
    this.pause();
    this.#speed = speed;
    this.#moment = this.at;
    this.#place = this.n;
    this.#ticked = performance.now();
    this.#listener(this);
    this.#timer = setTimeout(() => this.#tick(), TICK_MS);
  }

  pause() {
    clearTimeout(this.#timer);
    this.#speed = null;
    this.#listener(this);
  }

  async #tick() {
    const passed = (performance.now() - this.#ticked) / 1000;
    this.#ticked = performance.now();
    const speed = this.#speed;
    try {
      if (this.#way === null) await (speed === "whole" ? this.#onByEvents(passed) : this.#onByTime(passed * speed));
    } catch (error) {
      this.#complain(error);
      this.pause();
    }
    if (this.#speed === null) return;
    if (this.n >= this.last) this.pause();
    else this.#timer = setTimeout(() => this.#tick(), TICK_MS);
  }

  async #onByEvents(passed) {
    this.#place = Math.max(this.#place, this.n) + (passed * this.last) / WHOLE_SECONDS;
    await this.go(Math.max(this.n, Math.floor(this.#place)));
  }

  /** All events up to the moment that has come; where those are many, the fold is left to the way. */
  async #onByTime(seconds) {
    this.#moment = Math.max(this.#moment, this.at) + seconds;
    const far = this.numberAt(this.#moment);
    if (far - this.n >= NEAR) {
      await this.go(far);
      return;
    }
    let frame = this.#frame;
    for (;;) {
      const events = await this.#frames.events(frame.state.n);
      const come = events.filter(({ at }) => at <= this.#moment);
      frame = this.#frames.folded(frame, come);
      if (!come.length || come.length < events.length) break;
    }
    if (this.#speed === null) return;
    this.#goal = frame.state.n;
    this.#show(frame, this.#moment);
  }

  /** The last event at or before a moment: exact where every event has a tick, else as if between ticks time went evenly. */
  numberAt(moment) {
    return Math.floor(between(this.timeline.ticks, moment, 1, 0) ?? this.n);
  }

  /** When an event happened, by the same line. */
  momentOf(n) {
    return between(this.timeline.ticks, n, 0, 1) ?? this.at;
  }

  #show(frame, moment = frame.at) {
    this.#frame = frame;
    setNow(moment);
    this.#draw(frame.state);
    this.#listener(this);
  }

  #tell({ state }, signal) {
    if (signal.aborted) return;
    this.problem = `Getting there: event ${state.n.toLocaleString("en")} of ${this.#goal.toLocaleString("en")}.`;
    this.#listener(this);
  }

  #complain(error) {
    if (error.name === "AbortError") return;
    this.problem = error.message;
    this.#listener(this);
  }

  async #learn() {
    if (this.isOver || (document.hidden && this.timeline.last)) return;
    try {
      const timeline = await get(this.#path);
      this.timeline = timeline;
      this.#frames.last = Math.max(this.#frames.last, timeline.last);
      this.#listener(this);
    } catch (error) {
      this.#complain(error);
    }
  }
}

/** Along rows of two rising numbers: what stands in column `to` where column `from` has the value. */
function between(rows, value, from, to) {
  if (!rows.length) return null;
  let [low, high] = [0, rows.length - 1];
  if (value <= rows[low][from]) return rows[low][to];
  if (value >= rows[high][from]) return rows[high][to];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (rows[middle][from] <= value) low = middle;
    else high = middle;
  }
  const width = rows[high][from] - rows[low][from];
  const part = width ? (value - rows[low][from]) / width : 0;
  return rows[low][to] + part * (rows[high][to] - rows[low][to]);
}
