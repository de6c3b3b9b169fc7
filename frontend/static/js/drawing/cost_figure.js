/** Accuracy against cost as a figure for Plotly, and what stands on it. Pure. */

import { placeOf } from "../live/places.js";
import { AXES, COPIED, MEASURED, OVER } from "../live/state.js";
import { AXIS_TITLES, costInWords, overBound } from "./cost_words.js";
import { axis, filled, layout, logTicks, waiting } from "./figure_base.js";
import { percent } from "./format.js";


/** The axes for which some child has a cost. */
export function knownAxes({ sizes }) {
  return AXES.filter((_, place) => place < 2 || sizes.some((one) => one[place] !== null));
}

/** Children with an accuracy and a cost on this axis, cheapest first: {index, name, cost, accuracy, words}. */
export function costedChildren(state, along) {
  const place = AXES.indexOf(along);
  const rows = state.points.map(([index, reward, flag], at) => {
    const sizes = state.sizes[at];
    const accuracy = flag === MEASURED || flag === COPIED ? sizes[3] ?? reward : null;
    return child(state, index, sizes[place], accuracy, along);
  });
  return rows.filter(({ cost, accuracy }) => cost > 0 && accuracy !== null)
    .sort((a, b) => a.cost - b.cost || a.accuracy - b.accuracy);
}

/** Children over a bound with a cost on this axis, cheapest first: the same, without an accuracy. */
export function childrenOver(state, along) {
  const place = AXES.indexOf(along);
  const shown = state.points.flatMap(([index, , flag], at) => {
    const cost = state.sizes[at][place];
    if (flag !== OVER || !(cost > 0)) return [];
    const one = child(state, index, cost, null, along);
    const [, , , , over, times] = state.sizes[at];
    return [{ ...one, words: `${one.name}: ${overBound({ over, times })}` }];
  });
  return shown.sort((a, b) => a.cost - b.cost);
}

/** chosen: the index of the child that has the keyboard's ring, or null. */
export function costFigure({ state, along, chosen }, colours) {
  const [children, over] = [costedChildren(state, along), childrenOver(state, along)];
  const front = state.fronts[along].filter(([cost]) => cost > 0)
    .map(([cost, accuracy, index]) => child(state, index, cost, accuracy, along));
  const [low, high] = accuracyRange(children);
  const ring = [...children, ...over].filter(({ index }) => index === chosen) // Seen even where its child lies below the foot.
    .map((one) => ({ ...one, accuracy: Math.max(one.accuracy, low + (high - low) * 0.03) }));
  const marks = (name, shown, marker) => ({
    ...points(shown), name, marker, type: "scatter", mode: "markers",
  });
  const traces = [
    marks("child", children, { color: colours.point, size: 6, opacity: 0.6 }),
    overTrace(over, low + (high - low) * 0.02, colours),
    { ...points(stepped(front, children)), type: "scatter", mode: "lines", name: "no cheaper child is as accurate",
      line: { color: colours.main, width: 2, shape: "hv" }, hoverinfo: "skip", hovertemplate: null },
    marks("no cheaper child is as accurate", front, { color: colours.main, size: 9 }),
    marks("chosen", ring, { color: colours.best, size: 16, symbol: "circle-open", line: { width: 2 } }),
  ];
  return { traces: filled(traces), layout: layout(colours, {
    hoverdistance: 12,
    margin: { l: 58, r: 16, t: 8, b: 42 }, // No axis stands on the right.
    xaxis: axis(colours, along === "latency" ? "latency (ms, log scale)" : `${AXIS_TITLES[along]} (log scale)`, {
      type: "log", tickformat: along === "latency" ? "~r" : "~s", showticklabels: children.length + over.length > 0,
      ...logTicks([...children, ...over].map(({ cost }) => cost)) }),
    yaxis: axis(colours, "accuracy on held-out images", { range: [low, high], tickformat: ".3f" }),
    annotations: children.length ? [] : [waiting(colours, state.done
      ? "No child has a measured accuracy." : "No child has ended yet.")],
  }) };
}

function child(state, index, cost, accuracy, along) {
  const { step, slot } = placeOf(state, index);
  const name = `child ${step}.${slot}`;
  return { index, name, cost, accuracy, words: `${name}: ${percent(accuracy)}, ${costInWords(along, cost)}` };
}

function points(children) {
  return {
    x: children.map(({ cost }) => cost), y: children.map(({ accuracy }) => accuracy),
    customdata: children.map(({ index, words }) => [index, words]), hovertemplate: "%{customdata[1]}<extra></extra>",
  };
}

/** The front as a line of steps, which goes on to the dearest child: what is dearer still is no better. */
function stepped(front, children) {
  const last = children.at(-1);
  return front.length && last.cost > front.at(-1).cost ? [...front, { ...front.at(-1), cost: last.cost }] : front;
}

/** Children over a bound, at the foot of the chart: they have a cost and no accuracy. */
function overTrace(over, foot, colours) {
  return { ...points(over.map((one) => ({ ...one, accuracy: foot }))), type: "scatter", mode: "markers",
    name: "over a bound", marker: { color: colours.quiet, size: 8, symbol: "triangle-down-open" } };
}

/** A few very bad children must not press the rest together: the lowest twentieth may lie below the chart's foot. */
function accuracyRange(children) {
  if (!children.length) return [0, 1];
  const sorted = children.map(({ accuracy }) => accuracy).sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor(sorted.length / 20)], sorted.at(-1)];
  const air = Math.max((high - low) * 0.08, 0.005);
  return [low - air, high + air];
}
