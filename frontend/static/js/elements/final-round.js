/**
 * <final-round>: the best children are trained again, and one is kept. Finalists in the order of what is known of them;
 * once it is over, the kept network with its file. Its frame is in templates/parts/final_round.html.
 */

import { get } from "../api.js";
import { bytes, percent, rewardBesideAccuracy } from "../drawing/format.js";
import { ranked, standing } from "../drawing/finalists.js";
import { sparkPath } from "../drawing/sparkline.js";
import { searchPaths } from "../live/paths.js";
import { build, buildSvg, write } from "./build.js";

const [WIDTH, HEIGHT] = [96, 24];
const LABEL = "Result"; // Of the file, as webapp/searches/final_round.py offers it.

class FinalRound extends HTMLElement {
  #rows = new Map();
  #asked = false;

  disconnectedCallback() {
    this.querySelector("tbody").replaceChildren();
    this.#rows.clear();
    this.#asked = false;
  }

  render(state, page) {
    const { finals } = state;
    this.hidden = finals === null;
    if (finals === null) return;
    write(this.querySelector("[data-words]"), standing(state));
    const body = this.querySelector("tbody");
    const order = ranked(finals).map((finalist) => {
      if (!this.#rows.has(finalist.rank)) this.#rows.set(finalist.rank, rowOf(finalist, page));
      const row = this.#rows.get(finalist.rank);
      fill(row, finalist, state);
      return row.line;
    });
    order.forEach((line, place) => {
      if (body.children[place] !== line) body.insertBefore(line, body.children[place] ?? null);
    });
    this.#showKept(finals, page);
  }

  #showKept(finals, page) {
    const kept = finals.finalists.find(({ rank }) => rank === finals.kept);
    this.querySelector("[data-kept]").hidden = !kept;
    if (!kept) return;
    const paths = searchPaths(page.id);
    const picture = this.querySelector("cell-picture");
    const source = paths.picture(kept.step, kept.slot);
    if (picture.getAttribute("src") !== source) picture.setAttribute("src", source);
    for (const link of this.querySelectorAll("[data-architecture]")) link.href = paths.child(kept.step, kept.slot);
    this.querySelector("[data-train]").href = paths.training(kept.step, kept.slot);
    if (!this.#asked && page.gets_files) this.#offer(paths.api);
  }

  async #offer(api) {
    this.#asked = true;
    const link = this.querySelector("[data-download]");
    const error = this.querySelector("[data-error]");
    try {
      const { artifacts } = await get(`${api}/artifacts`);
      const file = artifacts.find(({ label }) => label === LABEL);
      if (!file) throw new Error("The file of the result is not there.");
      link.href = `/api/artifacts/${file.id}`;
      link.setAttribute("download", file.filename);
      write(link, `Download the network, ${bytes(file.size)}`);
      link.hidden = false;
      write(error, "");
    } catch (failure) {
      this.#asked = false; // The next change of the state asks again.
      write(error, failure.message);
    }
  }
}

function rowOf({ rank, step, slot, reward, search_accuracy: accuracy }, page) {
  const row = {
    path: buildSvg("path", { class: "spark-line" }),
    epochs: build("td", { class: "number" }),
    accuracy: build("td", { class: "is-number" }),
    state: build("td", {}),
  };
  const spark = buildSvg("svg", { class: "spark", viewBox: `-1 -2 ${WIDTH + 2} ${HEIGHT + 4}`, role: "img",
    "aria-label": `Held-out accuracy of finalist ${rank} by epoch` }, row.path);
  row.line = build("tr", {}, build("th", { scope: "row" }, String(rank)),
    build("td", {}, build("a", { href: searchPaths(page.id).child(step, slot) }, `Child ${step}.${slot}`)),
    build("td", {}, spark), row.epochs, row.accuracy,
    build("td", { class: "is-number" }, rewardBesideAccuracy(reward, accuracy)), row.state);
  return row;
}

function fill(row, finalist, { finals, state }) {
  const { curve, epochs, rank } = finalist;
  const last = curve.at(-1);
  const places = last ? Math.round((curve.length * epochs) / last[0]) : 1; // A thinned curve, too, ends at its epoch.
  row.path.setAttribute("d", sparkPath(curve.map(([, , accuracy]) => accuracy), WIDTH, HEIGHT, places));
  write(row.epochs, last ? `${last[0]} of ${epochs}` : "–");
  write(row.accuracy, percent(finalist.is_final ? finalist.accuracy : last?.[2]));
  write(row.state, wordsOf(finalist, finals, state));
  row.line.classList.toggle("is-kept", finals.kept === rank);
}

function wordsOf({ rank, is_final: isFinal, reason, worker, attempt }, finals, state) {
  if (finals.kept === rank) return "Kept";
  if (isFinal) return reason === null ? "Done" : `No accuracy: ${reason}`;
  if (worker !== null) return attempt > 1 ? `${worker}, attempt ${attempt}` : worker;
  return state === "running" || state === "paused" ? "Waits for a worker" : "Not trained to the end";
}

customElements.define("final-round", FinalRound);
