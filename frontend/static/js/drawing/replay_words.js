/** What the bar of a replay says and marks. Pure. */

import { clock, duration } from "./format.js";
import { elapsed } from "./progress.js";

export const MARK_NAMES = {
  step: "step", best: "best so far", loss: "loss", pause: "pause", resume: "resumed", change: "limits changed", end: "end",
};

/** Where the replay stands: [which event, the time of day, how long it had been running]. */
export function standing({ state, at, n, last }) {
  if (!last) return ["Nothing has happened yet: there is nothing to replay.", "", ""];
  const number = (value) => value.toLocaleString("en");
  return [`Event ${number(n)} of ${number(last)}`, at === null ? "" : dated(at), `${duration(elapsed(state, at ?? 0))} running`];
}

/** A moment with its day: "23 Nov, 14:02:11". */
export function dated(moment) {
  const day = new Date(moment * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return `${day}, ${clock(moment)}`;
}

/**
 * One path of upright strokes for every kind of mark, in a box of the width 1000 and the height 10. placeOf(mark): where
 * it stands, in [0, 1].
 */
export function markPaths(marks, placeOf) {
  const paths = new Map();
  for (const mark of marks) {
    const x = (placeOf(mark) * 1000).toFixed(1);
    paths.set(mark.kind, `${paths.get(mark.kind) ?? ""}M${x} 0V10`);
  }
  return paths;
}

/** The event of the next mark of this kind behind event n, or before it (way -1); null where there is none. */
export function nextMark(marks, kind, n, way) {
  const found = marks.filter((mark) => mark.kind === kind && (way > 0 ? mark.n > n : mark.n < n));
  return found.length ? found.at(way > 0 ? 0 : -1).n : null;
}
