/** What edits make, beside the picture: exact counts with the difference to the original, and the changes in words. */

import { bytes } from "../drawing/format.js";
import { build, write } from "./build.js";

const WRITTEN = { activation_bytes: bytes }; // How figures are written that are no plain counts.

/** root: the editor; reply: the answer of the API. */
export function showResults(root, { counts, before, changes, hash, there }) {
  for (const figure of root.querySelectorAll("[data-figure]")) {
    const name = figure.dataset.figure;
    const shown = WRITTEN[name] ?? grouped;
    const [value, difference] = figure.querySelectorAll("dd");
    write(value, shown(counts[name]));
    write(difference, differenceOf(counts[name], before[name], shown));
  }
  const list = root.querySelector("[data-changes]");
  list.replaceChildren(...changes.map(({ sentence }) => build("li", {}, sentence)));
  if (!changes.length) list.append(build("li", { class: "quiet" }, "Nothing yet."));
  write(root.querySelector("[data-hash]"), hash);
  showThere(root.querySelector("[data-there]"), there);
  const last = changes.length ? `${changes.length} ${changes.length === 1 ? "change" : "changes"}` : "As the original";
  write(root.querySelector("[data-said]"), `${last}. ${grouped(counts.parameters)} parameters.`);
}

function showThere(line, there) {
  if (!there) {
    line.replaceChildren();
    return;
  }
  line.replaceChildren(there.id ? "You keep this architecture as " : "This is ", build("a", { href: there.url }, there.title), ".");
}

/** "+12,288 (+0.4 %)"; "as before" where nothing changed. */
function differenceOf(now, was, shown) {
  if (now === null || was === null) return "";
  if (now === was) return "as the original";
  const sign = now > was ? "+" : "−";
  const share = was ? ` (${sign}${((Math.abs(now - was) / was) * 100).toFixed(1)} %)` : "";
  return `${sign}${shown(Math.abs(now - was))}${share}`;
}

function grouped(value) {
  return value === null ? "–" : value.toLocaleString("en");
}
