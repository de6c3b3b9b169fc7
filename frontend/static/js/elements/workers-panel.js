/** <workers-panel>: every worker that is there, what it does, and when it was last heard. */

import { change, get } from "../api.js";
import { clock } from "../drawing/format.js";
import { build, write } from "./build.js";
import { WhileSeen } from "./while-seen.js";

const REFRESH_MS = 5000;

class WorkersPanel extends HTMLElement {
  #body = build("tbody", {});
  #note = build("p", { class: "quiet small" });
  #whileSeen = new WhileSeen((signal) => this.#ask(signal), { pause: REFRESH_MS });

  connectedCallback() {
    const heads = ["Worker", "Device", "Does", "Last heard", "Draining"].map((title) => build("th", { scope: "col" }, title));
    this.append(build("div", { class: "table-frame" }, build("table", { class: "table" },
      build("thead", {}, build("tr", {}, ...heads)), this.#body)), this.#note);
    this.addEventListener("click", this);
    this.#whileSeen.start(this);
  }

  disconnectedCallback() {
    this.#whileSeen.stop();
    this.removeEventListener("click", this);
    this.replaceChildren();
  }

  /** Workers serve all searches; nothing of this one's state is shown. */
  render() {}

  /** Drains a worker, or lets it work again; an open request would bring back how it was before. */
  async handleEvent(event) {
    const button = event.target.closest("[data-drain]");
    if (!button) return;
    this.#whileSeen.drop();
    button.disabled = true;
    try {
      await change("PATCH", `/api/workers/${encodeURIComponent(button.dataset.worker)}`, {
        is_drained: button.dataset.drain === "yes",
      });
      this.#whileSeen.hurry();
    } catch (error) {
      button.disabled = false;
      write(this.#note, error.message);
      this.#whileSeen.plan();
    }
  }

  async #ask(signal) {
    try {
      const { workers } = await get("/api/workers", { signal });
      this.#body.replaceChildren(...workers.map(rowOf));
      write(this.#note, workers.length ? "" : "No worker is there. Searches wait until one comes.");
    } catch (error) {
      if (!signal.aborted) write(this.#note, error.message);
    }
  }
}

function rowOf(worker) {
  const does = worker.job ?? (worker.is_drained ? "is drained" : "waits");
  const drain = build("button", {
    class: "button", type: "button", "data-worker": worker.name, "data-drain": worker.is_drained ? "no" : "yes",
    "aria-label": worker.is_drained ? `Let ${worker.name} work again` : `Drain ${worker.name}`,
    title: worker.is_drained ? null : "It claims nothing more; what it does goes elsewhere at the end of its epoch.",
  }, worker.is_drained ? "Work again" : "Drain");
  return build("tr", {}, build("td", {}, worker.name), build("td", {}, worker.device),
    build("td", {}, worker.is_here ? does : "gone"), build("td", { class: "number" }, clock(worker.seen)),
    build("td", {}, worker.is_here ? drain : null));
}

customElements.define("workers-panel", WorkersPanel);
