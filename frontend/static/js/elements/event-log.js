/** <event-log>: what happened, newest first. */

import { clock } from "../drawing/format.js";
import { build } from "./build.js";

class EventLog extends HTMLElement {
  #list = build("ol", { class: "log-list", reversed: true });
  #newest = 0;

  connectedCallback() {
    this.append(this.#list);
  }

  disconnectedCallback() {
    this.replaceChildren();
    this.#forget();
  }

  #forget() {
    this.#list.replaceChildren();
    this.#newest = 0;
  }

  render(state) {
    if ((state.log.at(-1)?.n ?? 0) < this.#newest) this.#forget(); // A replay went back.
    const fresh = state.log.filter(({ n }) => n > this.#newest);
    for (const { n, at, text } of fresh) {
      this.#newest = n;
      this.#list.prepend(build("li", {}, build("time", { class: "number quiet" }, clock(at)), ` ${text}`));
    }
    while (this.#list.children.length > state.log.length) this.#list.lastElementChild.remove();
  }
}

customElements.define("event-log", EventLog);
