/** Costs in words. Pure. */

import { count } from "./format.js";

export const AXIS_TITLES = { parameters: "parameters", mult_adds: "mult-adds", latency: "latency" };
const PLACES = { parameters: 0, mult_adds: 1, latency: 2 }; // In an entry of a state's sizes.

/** Milliseconds with three figures: "2.53 ms". */
export function milliseconds(ms) {
  return ms === null || ms === undefined ? "–" : `${ms.toPrecision(3)} ms`;
}

/** A cost with its unit: "45.2 k parameters", "2.53 ms latency". */
export function costInWords(axis, cost) {
  return `${axis === "latency" ? milliseconds(cost) : count(cost)} ${AXIS_TITLES[axis]}`;
}

/** Why a child was never trained. sizes: its entry in the state. Of a target network the counts are not the child's. */
export function overBound(sizes) {
  const [axis] = [sizes[4]];
  const found = axis === "latency" ? `, ${milliseconds(sizes[PLACES[axis]])}` : "";
  return `over the bound on ${AXIS_TITLES[axis]}${found}, never trained`;
}
