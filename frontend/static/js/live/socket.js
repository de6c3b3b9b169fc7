/**
 * The live connection of one stream: every event once, in order, however often the line breaks.
 *
 * It opens /ws/streams/{id}?after=n, reconnects with a growing pause, drops by number what it has, and asks the API
 * itself when the socket is silent or leaves a gap.
 */

import { get } from "../api.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5000;
const SILENCE_MS = 20000;
const WATCH_MS = 1000;
const REFUSED = new Map([ // Close codes after which coming again is useless.
  [4400, "The server refused this page's connection. Reload the page."],
  [4401, "You are signed out. Open your sign-in link again."],
  [4403, "The link that opened this page was revoked, or has expired."],
  [4404, "This page's search or training is gone."],
]);

export class Socket {
  #path;
  #eventsPath;
  #onEvents;
  #onStatus;
  #last;
  #socket = null;
  #pause = FIRST_PAUSE_MS;
  #timer = null;
  #watch = null;
  #heard = 0;
  #asking = null;
  #open = false;

  /** after: number of the last event the page has. onStatus gets "connected", "reconnecting" or a sentence. */
  constructor({ path, eventsPath, after, onEvents, onStatus }) {
    this.#path = path;
    this.#eventsPath = eventsPath;
    this.#last = after;
    this.#onEvents = onEvents;
    this.#onStatus = onStatus;
  }

  open() {
    this.#open = true;
    this.#heard = Date.now();
    this.#connect();
    this.#watch = setInterval(() => this.#listenForSilence(), WATCH_MS);
  }

  close() {
    this.#open = false;
    clearInterval(this.#watch);
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#socket?.close();
    this.#socket = null;
  }

  #connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}${this.#path}?after=${this.#last}`);
    this.#socket = socket;
    socket.onopen = () => this.#onStatus("connected");
    socket.onmessage = ({ data }) => this.#read(JSON.parse(data));
    socket.onclose = ({ code }) => this.#closed(socket, code);
  }

  #read(frame) {
    this.#heard = Date.now();
    this.#pause = FIRST_PAUSE_MS;
    if (frame.events) this.#take(frame.events);
    else if (frame.alive > this.#last) this.#ask();
  }

  #closed(socket, code) {
    if (!this.#open || socket !== this.#socket) return;
    this.#socket = null;
    if (REFUSED.has(code)) {
      this.close();
      this.#onStatus(REFUSED.get(code));
      return;
    }
    this.#onStatus("reconnecting");
    this.#timer = setTimeout(() => this.#connect(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
  }

  /** Hands on what follows the last event; a gap stops it, and the rest is asked for. */
  #take(events) {
    const fresh = [];
    for (const event of events) {
      if (event.n <= this.#last) continue;
      if (event.n > this.#last + 1) {
        this.#ask();
        break;
      }
      this.#last = event.n;
      fresh.push(event);
    }
    if (fresh.length) this.#onEvents(fresh);
  }

  #listenForSilence() {
    if (Date.now() - this.#heard < SILENCE_MS) return;
    this.#heard = Date.now(); // Once per silence, not every second of it.
    this.#ask();
    this.#socket?.close(); // A dead line shows no end by itself; a living one comes again at once.
  }

  async #ask() {
    if (this.#asking) return;
    this.#asking = new AbortController();
    try {
      let answer;
      do {
        const path = `${this.#eventsPath}?after=${this.#last}&limit=500`;
        answer = await get(path, { signal: this.#asking.signal });
        this.#take(answer.events);
      } while (answer.events.length && answer.last > this.#last);
    } catch {
      // The next silence, frame or reconnection asks again; the strip already says that the line is down.
    } finally {
      this.#asking = null;
    }
  }
}
