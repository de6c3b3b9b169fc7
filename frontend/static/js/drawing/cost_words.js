/** Costs in words. Pure. */

import { count } from "./format.js";

export const AXIS_TITLES = { parameters: "parameters", mult_adds: "mult-adds", latency: "latency" };

/** Milliseconds with three figures: "2.53 ms". */
export function milliseconds(ms) {
  return ms === null || ms === undefined ? "–" : `${ms.toPrecision(3)} ms`;
}

/** A cost with its unit: "45.2 k parameters", "2.53 ms latency". */
export function costInWords(axis, cost) {
  return `${axis === "latency" ? milliseconds(cost) : count(cost)} ${AXIS_TITLES[axis]}`;
}

/** Why a child was never trained: the bound it is over, and its cost as a multiple of that bound where that is known. */
export function overBound({ over, times }) {
  const share = typeof times === "number" ? `${excess(times)} ` : "";
  return `${share}over the bound on ${AXIS_TITLES[over]}, never trained`;
}

/** 1.25 is "25 %", 1.0004 is "0.04 %", and 12 is "1,100 %"; never nothing. */
function excess(times) {
  const percent = (times - 1) * 100;
  if (percent < 0.01) return "less than 0.01 %";
  const digits = percent < 1 ? 2 : percent < 10 ? 1 : 0;
  return `${percent.toLocaleString("en", { maximumFractionDigits: digits })} %`;
}
