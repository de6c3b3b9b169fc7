/**
 * The state of one stream while its page is open: folds events, and has them drawn at most ten times a second. Charts,
 * which take longer, wait by themselves.
 */

import { Socket } from "./socket.js";
import { apply } from "./state.js";

const DRAW_MS = 100;

export class Store {
  #state;
  #status = "connecting";
  #draw;
  #socket;
  #drawn = -Infinity;
  #timer = null;
  #frame = null;

  /** draw(state, status): called after changes, never more often than DRAW_MS. */
  constructor({ state, path, eventsPath, draw }) {
    this.#state = state;
    this.#draw = draw;
    this.#socket = new Socket({
      path, eventsPath, after: state.n,
      onEvents: (events) => this.#fold(events),
      onStatus: (status) => this.#tell(status),
    });
  }

  open() {
    this.#plan();
    this.#socket.open();
  }

  close() {
    this.#socket.close();
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
  }

  #fold(events) {
    for (const event of events) this.#state = apply(this.#state, event);
    this.#plan();
  }

  #tell(status) {
    this.#status = status;
    this.#plan();
  }

  #plan() {
    if (this.#timer !== null) return;
    const wait = Math.max(0, this.#drawn + DRAW_MS - performance.now());
    this.#timer = setTimeout(() => {
      this.#frame = requestAnimationFrame(() => {
        this.#timer = null;
        this.#drawn = performance.now();
        this.#draw(this.#state, this.#status);
      });
    }, wait);
  }
}
