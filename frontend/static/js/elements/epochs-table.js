/** <epochs-table>: the epochs of the shared weights in figures, newest first, each with how scores went within it. */

import { took } from "../drawing/format.js";
import { figure, score } from "../drawing/scores.js";
import { sparkPath } from "../drawing/sparkline.js";
import { build, buildSvg, write } from "./build.js";
import { explained } from "./term.js";

const TERMS = { "controller-phase": "phase", score: "score", entropy: "entropy" };
const MOST = 200; // Rows.
const [WIDTH, HEIGHT] = [96, 24];

class EpochsTable extends HTMLElement {
  #key = null;
  #head = build("tr", {});
  #body = build("tbody", {});
  #note = build("p", { class: "quiet small" });

  connectedCallback() {
    const table = build("table", { class: "table" }, build("thead", {}, this.#head), this.#body);
    this.append(build("div", { class: "table-frame epochs-frame", tabindex: 0, role: "group", "aria-label": "Epochs" }, table),
      this.#note);
  }

  disconnectedCallback() {
    this.#key = null;
    this.#head.replaceChildren();
    this.replaceChildren();
  }

  render({ shared }, { scale }) {
    const key = `${shared.epochs_shared} ${shared.steps_told}`;
    if (key === this.#key) return;
    this.#key = key;
    if (!this.#head.children.length) this.#head.append(...headsOf(shared));
    const rows = shared.curve.slice(-MOST).toReversed();
    this.#body.replaceChildren(...rows.map((row) => rowOf(row, shared, scale)));
    const columns = this.#head.children.length;
    if (!rows.length) this.#body.append(build("tr", {}, build("td", { colspan: columns, class: "quiet" }, "No epoch has ended yet. Each adds a row when its controller phase is over.")));
    const left = shared.epochs_shared - rows.length;
    write(this.#note, left > 0 ? `${left} earlier epochs are not shown; the charts have them thinned.` : "");
  }
}

function headsOf({ is_text: isText }) {
  const name = isText ? "perplexity" : "accuracy";
  const heads = ["Epoch", "Training loss", `Training ${name}`, `Validation ${name}`, "Within the phase", "Best score",
    "Entropy", "Weights took", "Controller took"];
  return heads.map((text) => build("th", { scope: "col", class: text === "Within the phase" ? null : "is-number" }, ...explained(text, TERMS)));
}

function rowOf(row, { is_text: isText }, scale) {
  const number = (text) => build("td", { class: "is-number" }, text);
  const path = buildSvg("path", { class: "spark-line", d: sparkPath(row.stretches, WIDTH, HEIGHT, 1) });
  const spark = row.stretches.length > 1 ? buildSvg("svg", { class: "spark", viewBox: `-1 -2 ${WIDTH + 2} ${HEIGHT + 4}`, role: "img",
    "aria-label": `Mean score from ${score(row.stretches[0], scale)} to ${score(row.stretches.at(-1), scale)}` }, path) : null;
  return build("tr", {}, number(String(row.step + 1)), number(row.loss.toFixed(3)), number(figure(row.trained, isText)),
    number(figure(row.held_out, isText)), build("td", {}, spark),
    number(score(row.best_reward, scale)), number(row.entropy === null ? "–" : row.entropy.toFixed(2)),
    number(took(row.shared_seconds)), number(took(row.phase_seconds)));
}

customElements.define("epochs-table", EpochsTable);
