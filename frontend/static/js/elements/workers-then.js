/** <workers-then>: who trained what at the moment that is shown, as the events tell it. For those who only look. */

import { duration } from "../drawing/format.js";
import { now } from "../live/now.js";
import { build, write } from "./build.js";

const SILENT = "Events name the workers that train children, and not those that compute an epoch of shared weights.";

class WorkersThen extends HTMLElement {
  #body = build("tbody", {});
  #note = build("p", { class: "quiet small" });
  #table = build("div", { class: "table-frame" }, build("table", { class: "table" }, build("thead", {}, build("tr", {},
    ...["Worker", "Trains", "For"].map((title) => build("th", { scope: "col" }, title)))), this.#body));

  connectedCallback() {
    this.append(this.#table, this.#note);
  }

  disconnectedCallback() {
    this.replaceChildren();
  }

  render(state) {
    const rows = busy(state);
    this.#table.hidden = !rows.length;
    this.#body.replaceChildren(...rows.map(({ worker, does, since }) => build("tr", {}, build("td", {}, worker),
      build("td", {}, does), build("td", { class: "number" }, since === null ? "–" : duration(Math.max(0, now() - since))))));
    write(this.#note, rows.length ? "" : state.shared ? SILENT : "No worker trains anything of this search.");
  }
}

/** By name. since: null of a finalist, whose events have no beginning that is kept. */
function busy({ running, finals }) {
  const children = Object.values(running).map(({ worker, step, slot, since }) =>
    ({ worker, does: `child ${step}.${slot}`, since }));
  const finalists = (finals?.finalists ?? []).map(({ worker, rank }) => ({ worker, does: `finalist ${rank}`, since: null }));
  return [...children, ...finalists].filter(({ worker }) => worker !== null)
    .sort((one, other) => one.worker.localeCompare(other.worker, "en", { numeric: true }));
}

customElements.define("workers-then", WorkersThen);
