/**
 * The states of a stream after any of its events: the nearest state that is kept here or on the server, and the fold
 * of the events behind it. What it keeps is bounded: FRAMES states, which share most of their parts, and PAGES of events.
 */

import { get } from "../api.js";
import { streamPaths } from "./paths.js";
import { apply, initial } from "./state.js";

const PAGE = 500; // Events of one question.
const PAGES = 8;
const FRAMES = 60;
const APART = 100; // Events from one kept state to the next, at least.
export const NEAR = 1000; // Events that are folded here; for more, the server is asked for a nearer state.

export class Frames {
  #paths;
  #kind;
  #pages = new Map(); // Place of the page -> events of it, the oldest use first.
  #frames = new Map(); // Number -> {state, at}, the oldest use first.
  last;

  /** first: {state, at}; last: the newest event that the server told of. */
  constructor(page, first, last) {
    this.#paths = streamPaths(page);
    this.#kind = page.kind;
    this.last = last;
    this.#keep(first);
  }

  /** The frame after event n. told(frame): called with what was reached on a long way. */
  async at(n, { signal, told = () => {} }) {
    let frame = this.#nearest(n);
    while (frame.state.n < n) {
      if (n - frame.state.n >= NEAR) {
        const nearer = await this.#ask(n, signal);
        if (nearer.state.n > frame.state.n) {
          frame = nearer;
          told(frame);
          continue;
        }
      }
      const events = await this.events(frame.state.n, signal);
      if (!events.length) break; // The stream is not that long.
      frame = this.folded(frame, events.filter((event) => event.n <= n));
    }
    return frame;
  }

  /** The frame behind these events, which follow it. */
  folded({ state, at }, events) {
    let frame = { state, at };
    for (const event of events) {
      frame = { state: apply(frame.state, event), at: event.at };
      if (event.n % APART === 0) this.#keep(frame);
    }
    return frame;
  }

  /** Some events behind number `after`: up to the end of their page; none where there are none yet. */
  async events(after, signal) {
    const place = Math.floor(after / PAGE);
    let events = this.#pages.get(place);
    if (!events || (events.length < PAGE && this.last > place * PAGE + events.length)) {
      const answer = await get(`${this.#paths.events}?after=${place * PAGE}&limit=${PAGE}`, { signal });
      this.last = Math.max(this.last, answer.last);
      events = answer.events;
    }
    remember(this.#pages, place, events, PAGES);
    return events.filter(({ n }) => n > after);
  }

  async #ask(n, signal) {
    const { state, at, last } = await get(`${this.#paths.api}/states?at=${n}`, { signal });
    this.last = Math.max(this.last, last);
    const frame = { state, at };
    this.#keep(frame);
    return frame;
  }

  /** Of what is kept; the state before every event where nothing is. */
  #nearest(n) {
    const numbers = [...this.#frames.keys()].filter((number) => number <= n);
    return numbers.length ? this.#frames.get(Math.max(...numbers)) : { state: initial(this.#kind), at: null };
  }

  #keep(frame) {
    remember(this.#frames, frame.state.n, frame, FRAMES);
  }
}

function remember(map, key, value, most) {
  map.delete(key);
  map.set(key, value);
  while (map.size > most) map.delete(map.keys().next().value);
}
