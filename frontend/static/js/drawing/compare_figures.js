/**
 * Figures of many lines for Plotly: lines and colours in, traces and layout out. Pure.
 * A line is one run, or several that differ in their seed: then its mean and the 95 % interval over seeds are drawn.
 * colours.lines: eight colours as #rrggbb; beyond eight lines, dashes tell them apart.
 */

import { axis, filled, layout, logRange, logTicks, waiting } from "./figure_base.js";
import { took } from "./format.js";

export const COLOURS = 8;
const MOST_POINTS = 2500; // In one chart: beyond so many, SVG grows slow.
const DASHES = ["solid", "dash", "dot", "dashdot"];
const ALONG = {
  best_by_children: { title: "children", value: (x) => `child ${Math.round(x)}` },
  best_by_compute: { title: "seconds of training children, all workers together", value: took },
  best_by_clock: { title: "seconds since the start, pauses included", value: took },
};

/** Colour and dash of the line at this place. */
export function styleOf(place) {
  return { colour: place % COLOURS, dash: DASHES[Math.floor(place / COLOURS) % DASHES.length] };
}

/** What stands at an axis, and how a place on it is read; searches with shared weights go by epochs. */
function alongOf({ kind }, along) {
  return kind === "shared" && along === "best_by_children"
    ? { title: "epochs", value: (x) => `epoch ${Math.round(x)}` } : ALONG[along];
}

/** along: a key of ALONG. lines: [{name, place, runs, over_seeds}], only those that are switched on. */
export function bestFigure({ lines, family }, along, colours) {
  const { title, value } = alongOf(family, along);
  const traces = lines.flatMap((line) => curve(line, along, colours, { step: true, value }));
  return figure(traces, colours, { x: title, y: `best so far${unit(family)}`, range: rangeOf(traces, []) });
}

/** Thin points and the moving mean, or the mean of the moving means. */
export function rewardsFigure({ lines, family }, colours) {
  const runs = lines.flatMap((line) => line.runs);
  const every = Math.ceil(runs.reduce((sum, run) => sum + run.rewards.length, 0) / MOST_POINTS);
  const points = lines.flatMap((line) => line.runs.map((run) => ({
    ...xy(run.rewards.filter((_, place) => place % every === 0)), ...marks(line, colours), type: "scatter",
  })));
  const { title, value } = alongOf(family, "best_by_children");
  const means = lines.flatMap((line) => curve(line, "means", colours, { step: false, value }));
  return figure([...points, ...means], colours, {
    x: title, y: `${family.kind === "shared" ? "mean score" : "reward, moving mean of 20"}`,
    range: rangeOf(means, points),
  });
}

/** Which share of all rewards is at most so high. */
export function sharesFigure({ lines }, colours) {
  const traces = lines.flatMap((line) => line.runs.filter(({ quantiles }) => quantiles.length > 1).map(({ quantiles }) => ({
    type: "scatter", mode: "lines", name: line.name, line: { ...stroke(line, colours, line.runs.length > 1 ? 1 : 2), shape: "vh" },
    x: quantiles, y: quantiles.map((_, at) => at / (quantiles.length - 1)),
    hovertemplate: `${safe(line.name)}: %{y:.0%} are at most %{x:.4f}<extra></extra>`,
  })));
  return figure(traces, colours, { x: "reward", y: "share of the children", tickformat: ".0%", range: [0, 1] });
}

/** Lowest, quarters, median and highest; of several runs, those of all seeds, one box each. */
export function boxesFigure({ lines }, colours) {
  const boxes = lines.flatMap((line) => line.runs.filter(({ quantiles }) => quantiles.length > 1).map((run) => ({ line, run })));
  const at = (share) => ({ run }) => run.quantiles[Math.round(share * (run.quantiles.length - 1))];
  const traces = boxes.map((box, place) => ({
    type: "box", x: [place], lowerfence: [at(0)(box)], q1: [at(0.25)(box)], median: [at(0.5)(box)], q3: [at(0.75)(box)],
    upperfence: [at(1)(box)], name: safe(box.line.name), line: { color: colours.lines[styleOf(box.line.place).colour], width: 1.5 },
    fillcolor: "rgba(0,0,0,0)", hoverinfo: "y", width: 0.5,
  }));
  const names = { tickmode: "array", tickvals: boxes.map((_, place) => place),
    ticktext: boxes.map(({ line, run }) => (line.runs.length > 1 ? `${line.place + 1}, seed ${run.seed}` : `${line.place + 1}`)) };
  return figure(traces, colours, { x: "number in the legend", y: "reward", xaxis: names });
}

/** What each line reaches at a cost: no cheaper child of it is as accurate. cost: "parameters" or "mult_adds". */
export function costFigure({ lines, family }, cost, colours) {
  const fronts = lines.flatMap((line) => line.runs.map((run) => ({ line, points: ofCost(run, cost) })));
  const traces = fronts.map(({ line, points }) => ({
    ...xy(points), type: "scatter", mode: "lines+markers", name: line.name,
    line: { ...stroke(line, colours, 1.5), shape: "hv" }, marker: { color: colours.lines[styleOf(line.place).colour], size: 6 },
    hovertemplate: `${safe(line.name)}: %{y:.4f} at %{x:.3s}<extra></extra>`,
  }));
  const costs = fronts.flatMap(({ points }) => points.map(([x]) => x)).filter((x) => x > 0);
  const y = family.kind === "text" ? "test perplexity" : family.kind === "training" ? "test accuracy" : "accuracy";
  return figure(traces, colours, { x: `${cost === "parameters" ? "parameters" : "mult-adds"} (log scale)`, y,
    xaxis: costs.length ? { type: "log", tickformat: "~s", ...(new Set(costs).size > 1 ? logTicks(costs) : {}) } : {} });
}

/** A curve of trainings by epoch: "measured" or "loss". */
export function epochsFigure({ lines, family }, which, colours) {
  const traces = lines.flatMap((line) => line.runs.map((run) => ({
    ...xy(run[which]), type: "scatter", mode: run[which].length > 40 ? "lines" : "lines+markers", name: line.name,
    line: stroke(line, colours, 2), marker: { color: colours.lines[styleOf(line.place).colour], size: 5 },
    hovertemplate: `${safe(line.name)}: epoch %{x}: %{y:.4f}<extra></extra>`,
  })));
  const isPerplexity = which === "measured" && family.kind === "text";
  const values = traces.flatMap(({ y }) => y);
  const y = which === "loss" ? "training loss" : isPerplexity ? "perplexity on the validation part (log scale)" : "accuracy on held-out images";
  return figure(traces, colours, { x: "epoch", y, xaxis: { tickformat: "d" },
    yaxis: isPerplexity && values.length ? { type: "log", ...logRange(values) } : {} });
}

function ofCost(run, cost) {
  if (run.cost === null) return run.fronts[cost] ?? [];
  return run.best === null ? [] : [[run.cost[cost], run.best]];
}

/** One run as it is; of several their mean with its interval, and thin lines where there is no mean. */
function curve(line, which, colours, { step, value }) {
  const shape = step ? "hv" : "linear";
  const told = (points) => points.map(([x]) => value(x));
  const over = line.over_seeds[which] ?? [];
  if (over.length < 2) {
    const width = line.runs.length > 1 ? 1 : 2;
    return line.runs.map((run) => ({
      ...xy(run[which]), type: "scatter", mode: run[which].length === 1 ? "markers" : "lines", name: line.name,
      line: { ...stroke(line, colours, width), shape }, marker: { color: colours.lines[styleOf(line.place).colour], size: 7 },
      customdata: told(run[which]), hovertemplate: `${safe(line.name)}: %{y:.4f}, %{customdata}<extra></extra>`,
    }));
  }
  const colour = colours.lines[styleOf(line.place).colour];
  const edge = (at) => ({ x: over.map(([x]) => x), y: over.map((point) => point[at]), type: "scatter", mode: "lines",
    line: { width: 0, color: colour, shape }, hoverinfo: "skip", name: line.name });
  return [
    edge(2), { ...edge(3), fill: "tonexty", fillcolor: `${colour}26` },
    { ...xy(over), type: "scatter", mode: "lines", name: line.name, line: { ...stroke(line, colours, 2.5), shape },
      customdata: over.map(([x, , low, high]) => `${value(x)} (95 % over ${line.runs.length} seeds: ${low.toFixed(4)} to ${high.toFixed(4)})`),
      hovertemplate: `${safe(line.name)}: mean %{y:.4f}, %{customdata}<extra></extra>` },
  ];
}

function figure(traces, colours, { x, y, range = null, tickformat = null, xaxis = {}, yaxis = {} }) {
  const shown = filled(traces);
  return { traces: shown, layout: layout(colours, {
    margin: { l: 58, r: 16, t: 8, b: 42 },
    xaxis: axis(colours, x, { tickmode: "auto", nticks: 6, autorange: true, ...xaxis }),
    yaxis: axis(colours, y, { tickmode: "auto", nticks: 6, ...(range ? { range } : { autorange: true }), ...(tickformat ? { tickformat } : {}), ...yaxis }),
    annotations: shown.length ? [] : [waiting(colours, "Nothing to show here yet.")],
  }) };
}

/** The lowest twentieth of the points may lie below the foot, so that a few very bad children press nothing together. */
function rangeOf(means, points) {
  const low = points.flatMap(({ y }) => y).sort((a, b) => a - b);
  const all = [...means.flatMap(({ y }) => y), ...low.slice(Math.floor(low.length / 20))].filter((value) => value !== null);
  if (!all.length) return null;
  const [from, to] = all.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity]);
  const air = Math.max((to - from) * 0.06, 0.003);
  return [from - air, to + air];
}

function xy(points) {
  return { x: points.map(([x]) => x), y: points.map(([, y]) => y) };
}

function marks(line, colours) {
  return { mode: "markers", name: line.name, marker: { color: colours.lines[styleOf(line.place).colour], size: 3, opacity: 0.35 },
    hovertemplate: `${safe(line.name)}: child %{x}: %{y:.4f}<extra></extra>` };
}

function stroke(line, colours, width) {
  const { colour, dash } = styleOf(line.place);
  return { color: colours.lines[colour], dash, width };
}

function unit({ kind, is_share: isShare }) {
  return kind === "shared" ? " (score)" : isShare ? " (accuracy)" : "";
}

/** Plotly reads markup and templates in texts; names are a person's. */
function safe(name) {
  return name.replace(/[<>&%{}]/g, " ");
}
