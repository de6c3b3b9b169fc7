/** <event-log>: what happened, newest first. */

import { clock } from "../drawing/format.js";
import { build } from "./build.js";

class EventLog extends HTMLElement {
  #list = build("ol", { class: "log-list", reversed: true });
  #none = build("p", { class: "quiet small" }, "Nothing has happened yet. What happens shows here as it comes.");
  #newest = 0;

  connectedCallback() {
    this.append(this.#none, this.#list);
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
    this.#none.hidden = state.log.length > 0;
    while (this.#list.children.length > state.log.length) this.#list.lastElementChild.remove();
  }
}

customElements.define("event-log", EventLog);
