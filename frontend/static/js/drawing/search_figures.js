/**
 * Figures of a search for Plotly: state and colours in, traces and layout out. Pure.
 * Texts must hold no markup such as <b>: Plotly would write a style attribute, which the content policy refuses.
 */

import { placeOf } from "../live/places.js";
import { COPIED, FAILED, MEASURED, OVER } from "../live/state.js";
import { overBound } from "./cost_words.js";
import { axis, filled, layout, waiting } from "./figure_base.js";

const WINDOW = 20; // Children in the moving mean,
const FEWEST = 5; // which starts when there are so many.
const MOST_MARKED = 300; // More steps are a line without marks, more children are small.

/**
 * Rewards over children: points, best so far, moving mean, the mean of each step (the main line) and entropy.
 * band: of random search, as the API's comparison gives it, drawn behind everything else. curve: finer than the state,
 * see live/curve.js; null where the state has everything. zoom: the places that are shown, null for all.
 */
export function rewardFigure(state, colours, { band = [], curve = null, zoom = null } = {}) {
  const rows = curve?.points ?? state.points.map((point, place) => [...point, state.sizes[place]]);
  const points = (curve ? [...rows] : rows).sort((a, b) => a[0] - b[0]);
  const steps = curve?.steps ?? state.steps;
  const measured = points.filter(([index, reward, flag]) => flag === MEASURED && reward !== null && Number.isInteger(index));
  const proposed = points.filter(([index, reward, flag]) => flag <= COPIED && reward !== null && !Number.isInteger(index));
  const copied = points.filter(([index, reward, flag]) => flag === COPIED && reward !== null && Number.isInteger(index));
  const counted = points.filter(([, reward, flag]) => (flag === MEASURED || flag === COPIED) && reward !== null);
  const { range } = rewardRange(zoom ? counted.filter(([index]) => index >= zoom[0] && index <= zoom[1]) : counted, zoom ? [] : band);
  const foot = range[0] + (range[1] - range[0]) * 0.02; // Failed children have no height: they stand at the foot.
  const failed = points.filter(([, , flag]) => flag === FAILED).map(([index]) => [index, foot]);
  const over = points.filter(([, , flag]) => flag === OVER);
  const best = curve?.best ?? bestSoFar(counted);
  const means = curve?.means ?? movingMean(counted.filter(([index]) => Number.isInteger(index)));
  const [dots, width] = steps.length > MOST_MARKED ? [{ mode: "lines" }, 1.5] : [{ mode: "lines+markers" }, 3.5];
  const traces = [
    ...bandTraces(band, colours),
    marks("child", measured, { color: colours.point, size: points.length > MOST_MARKED ? 3 : 5, opacity: 0.5 }),
    marks("copied", copied, { color: colours.point, size: 6, symbol: "circle-open", opacity: 0.8 }),
    { ...marks("proposed by a person", proposed, { color: colours.best, size: 9, symbol: "star-open" }),
      customdata: proposed.map(([index]) => nameAt(state, index)), hovertemplate: "child %{customdata}, proposed by a person, off-policy: %{y:.4f}<extra></extra>" },
    { ...marks("failed", failed, { color: colours.bad, size: 7, symbol: "x-thin-open" }),
      hovertemplate: "child %{x}: no measured reward<extra></extra>" },
    { ...marks("over a bound", over.map(([index]) => [index, foot]),
      { color: colours.quiet, size: 8, symbol: "triangle-down-open" }),
      customdata: over.map(([, , , sizes]) => overBound({ over: sizes[4], times: sizes[5] })), hovertemplate: "child %{x}: %{customdata}<extra></extra>" },
    { ...line("best so far", best, colours.best, 1.5),
      line: { color: colours.best, width: 1.5, shape: "hv" } },
    { ...line("moving mean", means, colours.mean, 1.25),
      line: { color: colours.mean, width: 1.25, dash: "dot" } },
    { ...line("entropy", entropies(state, steps), colours.entropy, 1), yaxis: "y2",
      hovertemplate: "entropy %{y:.2f} nats<extra></extra>" },
    { ...line("mean of step", stepMeans(state, steps), colours.main, width), ...dots,
      marker: { color: colours.main, size: 7 }, hovertemplate: "mean of the step: %{y:.4f}<extra></extra>" },
  ];
  const highest = Math.max(1, ...steps.map(([, , entropy]) => entropy ?? 0));
  return { traces: filled(traces), layout: layout(colours, {
    xaxis: axis(colours, "children", {
      range: zoom ? [zoom[0] - 0.5, zoom[1] + 0.5] : [-0.5, Math.max(state.total, 1) - 0.5], fixedrange: false,
      ...(state.total <= 10 ? { dtick: 1 } : {}) }),
    uirevision: String(zoom),
    yaxis: axis(colours, weighs(state) ? "reward (accuracy weighed with cost)" : "reward (accuracy on held-out images)", {
      range, tickformat: ".3f", tickmode: "auto", overlaying: "y2" }), // Above the entropy.
    yaxis2: axis(colours, "entropy (nats)", {
      side: "right", showgrid: false, range: [0, highest * 1.1], color: colours.entropy,
      tickmode: "auto", nticks: 6, tickformat: ".3~g" }),
    annotations: counted.length ? [] : [waiting(colours, failed.length + over.length
      ? "No child has a measured reward." : "The first rewards come when the first children have ended.")],
  }) };
}

function nameAt(state, index) {
  const { step, slot } = placeOf(state, index);
  return `${step}.${slot}`;
}

export function bestSoFar(points) {
  let best = -Infinity;
  return points.map(([index, reward]) => [index, (best = Math.max(best, reward))]);
}

export function movingMean(points) {
  let sum = 0;
  const means = points.map(([index, reward], place) => {
    sum += reward - (place >= WINDOW ? points[place - WINDOW][1] : 0);
    return [index, sum / Math.min(place + 1, WINDOW)];
  });
  return means.slice(FEWEST - 1);
}

/** The mean reward of each step at the middle of its children. */
export function stepMeans(state, steps = state.steps) {
  return steps.filter(([, mean]) => mean !== null).map(([step, mean]) => [middle(state, step), mean]);
}

function entropies(state, steps) {
  const known = steps.filter(([, , entropy]) => entropy !== null);
  return known.map(([step, , entropy]) => [middle(state, step), entropy]);
}

function middle(state, step) {
  return step * state.step_size + (state.step_size - 1) / 2;
}

/** Whether rewards are more than accuracies. */
export function weighs(state) {
  return state.sizes.some((sizes) => sizes[3] !== null);
}

/** The expected best of n random children as a line, and where 95 of 100 random searches are as an area around it. */
function bandTraces(band, colours) {
  const edge = (name) => ({
    ...line("", band.map((point) => [point.place, point[name]]), colours.random, 0),
    line: { width: 0 }, hoverinfo: "skip", hovertemplate: null,
  });
  const expected = line("", band.map(({ place, expected }) => [place, expected]), colours.random, 2);
  const spans = band.map(({ n, low, high }) => [n, low, high]);
  return [
    edge("low"), { ...edge("high"), fill: "tonexty", fillcolor: colours.area },
    { ...expected, name: "best of n random", customdata: spans, hovertemplate: "best of %{customdata[0]} random: " +
      "%{y:.4f} (95 %: %{customdata[1]:.4f} to %{customdata[2]:.4f})<extra></extra>" },
  ];
}

function rewardRange(points, band = []) {
  if (!points.length && !band.length) return { range: [0, 1] };
  const rewards = [...points.map(([, reward]) => reward), ...band.map(({ expected }) => expected)].sort((a, b) => a - b);
  // A few very bad children must not press the rest together: the lowest twentieth may lie below the chart's foot.
  const low = rewards[Math.floor(rewards.length / 20)];
  const high = Math.max(rewards.at(-1), band.at(-1)?.high ?? -Infinity);
  const air = Math.max((high - low) * 0.08, 0.005);
  return { range: [low - air, high + air] };
}

function marks(name, points, marker) {
  return {
    type: "scatter", mode: "markers", name, marker,
    x: points.map(([index]) => index), y: points.map(([, reward]) => reward),
    hovertemplate: "child %{x}: %{y:.4f}<extra></extra>",
  };
}

function line(name, points, color, width) {
  return {
    type: "scatter", mode: "lines", name, line: { color, width },
    x: points.map(([index]) => index), y: points.map(([, value]) => value),
    hovertemplate: `${name} %{y:.4f}<extra></extra>`,
  };
}
