/** The legend of a chart, as a list beside it: it wraps, and stands still while lines come and go. */

import { build } from "./build.js";
import { explained } from "./term.js";

/** entries: [[name, mark]]; css/charts.css draws a mark as "swatch-{mark}". terms: that explain themselves, see term.js. */
export function legend(entries, terms = {}) {
  return build("ul", { class: "chart-legend" }, ...entries.map(([name, mark]) =>
    build("li", {}, build("span", { class: `swatch swatch-${mark}`, "aria-hidden": "true" }), ...explained(name, terms))));
}
