/** The legend of a comparison: buttons that switch lines on and off. */

import { styleOf } from "../drawing/compare_figures.js";
import { build, buildSvg } from "./build.js";

const DASHES = { solid: null, dash: "7 4", dot: "2 3", dashdot: "7 3 2 3" };

/** lines: [{key, name, place}]; hidden: the keys that are off, changed by a press; turned(): something was pressed. */
export function compareLegend(list, lines, hidden, turned) {
  if (list.children.length === lines.length) return mark(list, lines, hidden);
  list.replaceChildren(...lines.map((line) => {
    const button = build("button", { type: "button", class: "compare-switch" }, swatch(line.place), `${line.place + 1}. ${line.name}`);
    button.addEventListener("click", () => {
      if (!hidden.delete(line.key)) hidden.add(line.key);
      turned();
    });
    return build("li", {}, button);
  }));
  return mark(list, lines, hidden);
}

/** The stroke with which a line is drawn. */
export function swatch(place) {
  const { colour, dash } = styleOf(place);
  return buildSvg("svg", { class: `compare-swatch compare-colour-${colour}`, viewBox: "0 0 24 6", "aria-hidden": "true" },
    buildSvg("line", { x1: 0, y1: 3, x2: 24, y2: 3, stroke: "currentColor", "stroke-width": 3, "stroke-dasharray": DASHES[dash] }));
}

function mark(list, lines, hidden) {
  lines.forEach(({ key }, place) => list.children[place].firstChild.setAttribute("aria-pressed", String(!hidden.has(key))));
}
