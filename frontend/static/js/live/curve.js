/**
 * The curve of rewards as finely as it is looked at: the server's answer for the places that are shown, and behind it what
 * came since out of the page's state. Pure.
 */

import { bestSoFar, movingMean } from "../drawing/search_figures.js";
import { COPIED } from "./state.js";

export const POINTS = 500; // Stretches of one answer; of each the lowest and the highest reward are told.
const FEWEST = 20; // Children side by side, however closely one looks.
const FAR = 200; // Verdicts: so many may be missing in an answer before it is asked for again.

/** Whether the state alone shows less than there is: its lists were thinned. */
export function isThin({ points, done, proposals }) {
  return points.length < done + proposals.done;
}

/** Whether an answer {zoom, n, curve}, whose curve is null where none came, still shows what is there for these places. */
export function isFresh(answer, { n, done, proposals }, zoom, isReplay) {
  if (answer === null || !isSame(answer.zoom, zoom)) return false;
  if (isReplay || !answer.curve) return answer.n === n;
  return done + proposals.done - answer.curve.done < FAR;
}

export function isSame(zoom, other) {
  return zoom === other || (zoom !== null && other !== null && zoom[0] === other[0] && zoom[1] === other[1]);
}

/** The answer's curve with what came since: points as of a state with their sizes, lines as [place, value]. */
export function curveNow({ curve, zoom }, state) {
  const known = curve.points.at(-1)?.[0] ?? -1;
  const newer = zoom === null ? state.points.map((point, at) => [...point, state.sizes[at]]).filter(([index]) => index > known) : [];
  const counted = newer.filter(([, reward, flag]) => flag <= COPIED && reward !== null).sort((a, b) => a[0] - b[0]);
  const best = curve.best.at(-1)?.[1] ?? -Infinity;
  const lastStep = curve.steps.at(-1)?.[0] ?? -1;
  const told = new Map(state.steps.map((step) => [step[0], step]));
  return {
    points: [...curve.points.map(([index, reward, flag, over, times]) =>
      [index, reward, flag, [null, null, null, null, over ?? null, times ?? null]]), ...newer],
    best: [...curve.best, ...bestSoFar(counted).map(([index, reward]) => [index, Math.max(best, reward)])],
    means: [...curve.means, ...movingMean(counted.filter(([index]) => Number.isInteger(index)))],
    steps: [...curve.steps.map((step) => told.get(step[0]) ?? step),
      ...(zoom === null ? state.steps.filter(([step]) => step > lastStep) : [])],
  };
}

/** Places from first to last, half or twice as wide about their middle, or moved by half of their width; null for all. */
export function moved(zoom, how, total) {
  const [first, last] = zoom ?? [0, total - 1];
  const [middle, width] = [(first + last) / 2, last - first];
  const wanted = { in: width / 2, out: width * 2, earlier: width, later: width }[how];
  const by = { earlier: -width / 2, later: width / 2 }[how] ?? 0;
  return within([middle + by - wanted / 2, middle + by + wanted / 2], total);
}

/** At least a few children wide, inside the search, with whole ends; null where it is all of it. */
export function within([first, last], total) {
  const width = Math.max(Math.round(last - first), Math.min(FEWEST, total - 1));
  if (width >= total - 1) return null;
  const start = Math.min(Math.max(0, Math.round(first)), total - 1 - width);
  return [start, start + width];
}
