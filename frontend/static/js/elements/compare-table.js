/** The results of a comparison as a table: what every line found, and how much work went into it. */

import { perplexity, percent, took } from "../drawing/format.js";
import { build } from "./build.js";
import { swatch } from "./compare-legend.js";
import { explained } from "./term.js";

const TERMS = { child: "children", score: "score", perplexity: "perplexity" };
const BEST = { children: "Best of a run", shared: "Best score", training: "Test accuracy", text: "Test perplexity" };

/** frame: what scrolls; lines: [{place, name, runs, best, late}]. */
export function compareTable(frame, lines, family) {
  const isSearch = family.kind === "children" || family.kind === "shared";
  const heads = ["", "Runs", "State", family.kind === "children" ? "Children" : "Epochs", "Time of training", BEST[family.kind],
    ...(isSearch ? [family.kind === "shared" ? "Mean of late epochs" : "Mean of late children"] : [])];
  const rows = lines.map((line) => build("tr", {},
    build("th", { scope: "row", class: "compare-name" }, swatch(line.place), name(line)),
    cell(String(line.runs.length)), build("td", { class: "compare-state" }, states(line.runs)), cell(work(line.runs)),
    cell(took(sum(line.runs, "compute"))), cell(spread(line.best, family)), ...(isSearch ? [cell(spread(line.late, family))] : [])));
  const table = build("table", { class: "table small" },
    build("caption", { class: "only-read" }, `Results and work: ${family.title}`),
    build("thead", {}, build("tr", {}, ...heads.map((head, place) => build("th", { scope: "col", class: place && place !== 2 ? "is-number" : null }, ...explained(head, TERMS))))),
    build("tbody", {}, ...rows));
  if (!frame.firstChild?.isEqualNode(table)) frame.replaceChildren(table); // Whoever is on a word of it stays there.
}

function name({ runs, name: text, place }) {
  if (runs.length === 1) return build("span", {}, `${place + 1}. `, build("a", { href: runs[0].url }, text));
  return build("span", {}, `${place + 1}. ${text}: `, ...runs.flatMap((run, at) => [at ? ", " : "", build("a", { href: run.url }, `seed ${run.seed}`)]));
}

function states(runs) {
  const counts = new Map();
  for (const { state } of runs) counts.set(state, (counts.get(state) ?? 0) + 1);
  return runs.length === 1 ? runs[0].state : [...counts].map(([state, count]) => `${count} ${state}`).join(", ");
}

function work(runs) {
  return `${sum(runs, "done").toLocaleString("en")} of ${sum(runs, "total").toLocaleString("en")}`;
}

function sum(runs, name) {
  return runs.reduce((all, run) => all + run[name], 0);
}

/** "71.53 %", and of several runs "71.53 % (70.10 % to 72.96 %)": the mean with its interval over seeds. */
function spread(found, { kind, is_share: isShare }) {
  if (!found) return "–";
  const told = (value) => (kind === "text" ? perplexity(value) : isShare ? percent(value) : value.toFixed(4));
  return found.low === null ? told(found.mean) : `${told(found.mean)} (${told(found.low)} to ${told(found.high)})`;
}

function cell(text) {
  return build("td", { class: "is-number" }, text);
}
