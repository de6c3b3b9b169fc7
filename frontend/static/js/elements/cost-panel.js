/** What a search or a training will cost: time, memory, disk, and what one should know before pressing start. */

import { bytes, count } from "../drawing/format.js";
import { aboutTime } from "../forms/values.js";

const ROWS = {
  children: (cost) => cost.children.toLocaleString("en"),
  epoch_seconds: (cost) => (cost.epoch_seconds === null ? "unknown" : aboutTime(cost.epoch_seconds).replace("about ", "")),
  child_seconds: (cost) => (cost.child_seconds === null ? "unknown" : aboutTime(cost.child_seconds).replace("about ", "")),
  parameters: (cost) => range(cost.parameters, count),
  mult_adds: (cost) => range(cost.mult_adds, count),
  memory_bytes: (cost) => bytes(cost.memory_bytes),
  disk_bytes: (cost) => bytes(cost.disk_bytes),
};

class CostPanel extends HTMLElement {
  /** A change was made; the figures are those of before. */
  wait() {
    this.classList.add("is-stale");
  }

  /** cost: the answer of the API. */
  show(cost) {
    this.classList.remove("is-stale");
    const isWrong = cost.errors.length > 0;
    this.#write("time", isWrong ? "–" : cost.seconds === null ? "Time unknown" : capital(aboutTime(cost.seconds)));
    this.#write("basis", isWrong ? wrongValues(cost.errors) : basis(cost));
    for (const [name, text] of Object.entries(ROWS)) this.#write(name, isWrong ? "–" : text(cost));
    this.#part("notes").replaceChildren(...cost.notes.map(note));
  }

  /** No answer came. */
  fail(message) {
    this.classList.remove("is-stale");
    this.#write("time", "–");
    this.#write("basis", message);
  }

  /** Why pressing start did not start anything; "" for nothing to say. */
  problem(message) {
    this.#write("problem", message);
  }

  #write(name, text) {
    const part = this.#part(name);
    if (part && part.textContent !== text) part.textContent = text;
  }

  #part(name) {
    return this.querySelector(`[data-cost="${name}"]`);
  }
}

function range({ low, high }, format) {
  return low === high ? format(low) : `${format(low)} to ${format(high)}`;
}

function basis({ seconds, workers, children, epoch_seconds: ofShared }) {
  if (seconds === null) return "It shows here as soon as a worker is there and has measured its speed. You can start all the same.";
  if (children === 1 || ofShared) return "On the slowest of the workers that are here now; one of them will do it.";
  return workers === 1 ? "With the one worker that is here now." : `With the ${workers} workers that are here now.`;
}

function wrongValues(errors) {
  return errors.length === 1 ? "One value needs a change first." : `${errors.length} values need a change first.`;
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function note(text) {
  const item = document.createElement("li");
  item.className = "notice";
  item.textContent = text;
  return item;
}

customElements.define("cost-panel", CostPanel);
