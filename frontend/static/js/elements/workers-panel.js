/** <workers-panel>: every worker that is there, what it does, and when it was last heard. */

import { get } from "../api.js";
import { clock } from "../drawing/format.js";
import { build, write } from "./build.js";

const REFRESH_MS = 5000;

class WorkersPanel extends HTMLElement {
  #body = build("tbody", {});
  #note = build("p", { class: "quiet small" });
  #timer = null;
  #request = null;
  #visible = false;
  #seen = new IntersectionObserver((entries) => {
    this.#visible = entries.at(-1).isIntersecting;
    if (this.#visible) this.#ask();
  });

  connectedCallback() {
    const heads = ["Worker", "Device", "Does", "Last heard"].map((title) => build("th", { scope: "col" }, title));
    this.append(build("div", { class: "table-frame" }, build("table", { class: "table" },
      build("thead", {}, build("tr", {}, ...heads)), this.#body)), this.#note);
    this.#seen.observe(this);
    this.#timer = setInterval(() => this.#visible && this.#ask(), REFRESH_MS);
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
    this.#seen.disconnect();
    this.#request?.abort();
    this.replaceChildren();
  }

  /** Workers serve all searches; nothing of this one's state is shown. */
  render() {}

  async #ask() {
    this.#request?.abort();
    const request = new AbortController();
    this.#request = request;
    try {
      const { workers } = await get("/api/workers", { signal: request.signal });
      this.#body.replaceChildren(...workers.map(rowOf));
      write(this.#note, workers.length ? "" : "No worker is there. Searches wait until one comes.");
    } catch (error) {
      if (error.name !== "AbortError") write(this.#note, error.message);
    }
  }
}

function rowOf(worker) {
  const does = worker.job ?? (worker.is_busy ? "works for somebody else" : "waits");
  return build("tr", {}, build("td", {}, worker.name), build("td", {}, worker.device),
    build("td", {}, worker.is_here ? does : "gone"), build("td", { class: "number" }, clock(worker.seen)));
}

customElements.define("workers-panel", WorkersPanel);
