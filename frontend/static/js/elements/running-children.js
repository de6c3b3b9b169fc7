/** <running-children>: the children that are trained now, each with its own small curve of the loss. */

import { duration, percent } from "../drawing/format.js";
import { sparkPath } from "../drawing/sparkline.js";
import { searchPaths } from "../live/paths.js";
import { now } from "../live/now.js";
import { build, buildSvg, write } from "./build.js";

const MOST = 12;
const [WIDTH, HEIGHT] = [96, 24];

class RunningChildren extends HTMLElement {
  #list = build("ul", { class: "running-list" });
  #note = build("p", { class: "quiet small" });
  #items = new Map();

  connectedCallback() {
    this.append(this.#list, this.#note);
  }

  disconnectedCallback() {
    this.replaceChildren();
    this.#list.replaceChildren();
    this.#items.clear();
  }

  render(state, page) {
    const shown = Object.entries(state.running).slice(0, MOST);
    for (const [place, item] of this.#items) {
      if (shown.some(([key]) => key === place)) continue;
      item.row.remove();
      this.#items.delete(place);
    }
    for (const [place, child] of shown) {
      if (!this.#items.has(place)) this.#items.set(place, this.#added(child, page));
      fill(this.#items.get(place), child);
    }
    write(this.#note, noteOf(state, shown.length));
  }

  #added(child, page) {
    const path = buildSvg("path", { class: "spark-line" });
    const item = {
      words: build("span", { class: "number" }),
      worker: build("span", { class: "quiet small running-worker" }),
      bar: build("progress", { max: 1, value: 0, "aria-label": `Epochs of child ${child.step}.${child.slot}` }),
      path,
    };
    const link = build("a", { href: searchPaths(page.id).child(child.step, child.slot) },
      `Child ${child.step}.${child.slot}`);
    const spark = buildSvg("svg", { class: "spark", viewBox: `-1 -2 ${WIDTH + 2} ${HEIGHT + 4}`, role: "img",
      "aria-label": "Loss by epoch" }, path);
    item.row = build("li", {}, build("span", { class: "running-name" }, link, item.worker), spark,
      build("span", { class: "running-progress" }, item.words, item.bar));
    this.#list.append(item.row);
    return item;
  }
}

function fill(item, child) {
  const last = child.curve.at(-1);
  const part = child.epochs && last ? last[0] / child.epochs : 0;
  const accuracy = last && last[2] !== null ? `, ${percent(last[2])}` : "";
  const ran = duration(Math.max(0, now() - child.since));
  write(item.words, last ? `epoch ${last[0]} of ${child.epochs}${accuracy}` : `first epoch, ${ran}`);
  const again = child.attempt > 1 ? `, attempt ${child.attempt}` : "";
  write(item.worker, child.worker === null ? "waits for a worker" : `${child.worker}${again}`);
  item.path.setAttribute("d", sparkPath(child.curve.map(([, loss]) => loss), WIDTH, HEIGHT, child.epochs ?? 1));
  if (item.bar.value !== part) item.bar.value = part;
}

function noteOf(state, shown) {
  const running = Object.keys(state.running).length;
  const waiting = Math.max(0, Object.keys(state.pending).length - running);
  const more = running > shown ? `${running - shown} more are trained. ` : "";
  if (running === 0 && waiting === 0) {
    return state.state === "running" ? "The controller is drawing the next architectures." : "No child is trained now.";
  }
  return `${more}${waiting === 1 ? "1 child waits" : `${waiting} children wait`} for a worker.`;
}

customElements.define("running-children", RunningChildren);
