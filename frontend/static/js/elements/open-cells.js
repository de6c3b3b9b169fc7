/** The two cells while nothing is decided: their blocks, with a question mark for every decision. */

import { buildSvg } from "./build.js";

const [BLOCK, GAP, HEIGHT] = [156, 16, 232]; // Width of a block, space between two, height of a cell.

/** decisions: [{name, options}], of which "normal 1 combination" stands for a block of the normal cell. */
export function openCells(decisions) {
  const cells = [["Normal cell", blocksOf(decisions, "normal")], ["Reduction cell", blocksOf(decisions, "reduction")]];
  const width = 24 + Math.max(2, ...cells.map(([, blocks]) => blocks)) * (BLOCK + GAP) - GAP;
  const height = 12 + cells.length * HEIGHT;
  const picture = buildSvg("svg", {
    class: "cell-drawing open-cells", role: "img", width, height, viewBox: `0 0 ${width} ${height}`,
    "aria-label": "Two cells in which nothing is decided yet", "font-size": 12,
  }, ...cells.map(([title, blocks], place) => cell(title, blocks, width - 24, 12 + place * HEIGHT)));
  return picture;
}

function blocksOf(decisions, kind) {
  return decisions.filter(({ name }) => name.startsWith(`${kind} `) && name.endsWith("combination")).length;
}

function cell(title, blocks, width, top) {
  const left = (width - blocks * (BLOCK + GAP) + GAP) / 2;
  const inputs = [["previous", 1, "#b4527a"], ["current", 0, "#2f7d6b"]].map(([name, number, stroke], place) =>
    box(width / 2 + (place - 0.5) * 150, 40, 134, 28, 14, `${name} input`, `drawing-input input-${number}`, stroke));
  return buildSvg("g", { transform: `translate(12 ${top})` },
    buildSvg("text", { x: 0, y: 12, "font-size": 13, "font-weight": 600, fill: "#1d2530" }, title), ...inputs,
    ...Array.from({ length: blocks }, (_, place) => block(left + place * (BLOCK + GAP), 82, place + 1)),
    box(width / 2, 188, 118, 28, 14, "output", "drawing-output", "#1d2530"));
}

function block(x, y, number) {
  return buildSvg("g", { transform: `translate(${x} ${y})` },
    buildSvg("rect", { class: "drawing-frame", width: BLOCK, height: 77, rx: 10, fill: "#f6f7f9", stroke: "#e4e7ec" }),
    box(41, 21, 66, 26, 6, "?", "drawing-op family-identity", "#98a2b3"),
    box(115, 21, 66, 26, 6, "?", "drawing-op family-identity", "#98a2b3"),
    box(78, 59, 54, 20, 10, "?", "drawing-join", "#1d2530"),
    buildSvg("text", { class: "drawing-number", x: 9, y: 68, "font-size": 10, fill: "#667085" }, String(number)));
}

/** A box around the point (x, y). */
function box(x, y, width, height, rx, text, kind, stroke) {
  return buildSvg("g", { class: kind },
    buildSvg("rect", {
      x: x - width / 2, y: y - height / 2, width, height, rx, fill: "#ffffff", stroke, "stroke-dasharray": "4 3" }),
    buildSvg("text", { x, y: y + 4, "text-anchor": "middle", fill: "#1d2530" }, text));
}
