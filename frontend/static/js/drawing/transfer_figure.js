/** Test accuracy against cost for Plotly, and filters against cost as a light line. Pure. */

import { axis, filled, layout } from "./figure_base.js";
import { percent } from "./format.js";

const TITLES = { parameters: "parameters", mult_adds: "mult-adds of one image" };
const WORDS = { showarrow: false, xref: "x", yref: "paper" }; // Of an annotation.
const SHORT = { parameters: "parameters", mult_adds: "mult-adds" };

/** Trainings as the points of a chart, cheapest first: {key, name, size, cost, accuracy, words}; key: its address. */
export function trainedPoints(trained, along) {
  const points = trained.map(({ url, name, normal_cells: cells, filters, test_accuracy: accuracy, ...costs }) => {
    const size = `${cells === null ? "" : `N = ${cells}, `}F = ${filters}`;
    const cost = costs[along];
    const words = `${name || "Training"}, ${size}: ${percent(accuracy)}, ${cost.toLocaleString("en")} ${SHORT[along]}`;
    return { key: url, name, size, cost, accuracy, words };
  });
  return points.sort((a, b) => a.cost - b.cost || a.accuracy - b.accuracy);
}

/**
 * state: {curve, published, trained, now, along, chosen}; trained: trainedPoints; along: "parameters" or
 * "mult_adds"; now: counts of the network in the fields, or null; chosen: the key of a training that has a ring.
 */
export function transferFigure({ curve, published, trained, now, along, chosen }, colours) {
  const marks = published.filter((mark) => mark[along] !== null);
  const traces = [
    { type: "scatter", mode: "markers", name: "published", yaxis: "y2", x: marks.map((mark) => mark[along]),
      y: marks.map(() => 0), text: marks.map(({ size }) => size), cliponaxis: false,
      marker: { color: colours.mean, size: 9,
        symbol: marks.map((mark) => (mark.is_as_printed ? "triangle-up" : "triangle-up-open")) },
      hovertemplate: "%{text}: %{x:,}<extra></extra>" },
    { type: "scatter", mode: "lines", name: "cost", yaxis: "y2", x: curve.map((size) => size[along]),
      y: curve.map(({ filters }) => filters), line: { color: colours.quiet, width: 1 },
      hovertemplate: "F = %{y}: %{x:,}<extra></extra>" },
    { type: "scatter", mode: "markers", name: "test accuracy", ...places(trained), marker: { color: colours.main, size: 9 },
      customdata: trained.map(({ key, words }) => [key, words]), hovertemplate: "%{customdata[1]}<extra></extra>" },
    { type: "scatter", mode: "markers", name: "chosen", ...places(trained.filter(({ key }) => key === chosen)),
      marker: { color: colours.best, size: 16, symbol: "circle-open", line: { width: 2 } }, hoverinfo: "skip" },
  ];
  const here = now && { type: "line", xref: "x", yref: "paper", x0: now[along], x1: now[along], y0: 0, y1: 1,
    line: { color: colours.mean, width: 1.5, dash: "dot" } };
  return { traces: filled(traces), layout: layout(colours, {
    xaxis: axis(colours, TITLES[along], { type: "log", tickformat: "~s", nticks: 6 }),
    yaxis: axis(colours, "test accuracy", {
      tickformat: ".2f", showticklabels: trained.length > 0, nticks: 6, ...accuracies(trained) }),
    yaxis2: axis(colours, "filters", { overlaying: "y", side: "right", showgrid: false, nticks: 6, tickmode: "auto",
      rangemode: "tozero" }),
    shapes: here ? [here] : [],
    annotations: [...marks.filter((mark) => mark.is_as_printed).map((mark) => name(mark, along, colours)), ...(here
      ? [{ ...WORDS, text: "this size", font: { size: 11, color: colours.mean }, x: Math.log10(now[along]),
        xanchor: "left", y: 1, yanchor: "top" }] : [])],
  }) };
}

/** The name of a published size, upright beside its triangle: names that lie would lie on each other. */
function name(mark, along, colours) {
  return { ...WORDS, text: mark.size, font: { size: 11, color: colours.mean }, textangle: -90, x: Math.log10(mark[along]),
    xanchor: "right", y: 0, yanchor: "bottom", yshift: 8 };
}

function places(points) {
  return { x: points.map(({ cost }) => cost), y: points.map(({ accuracy }) => accuracy) };
}

/** Room around the accuracies, and none beyond what an accuracy can be: a lone one would have an axis beyond 1. */
function accuracies(points) {
  if (!points.length) return {};
  const all = points.map(({ accuracy }) => accuracy);
  return { range: [Math.max(Math.min(...all) - 0.05, 0), Math.min(Math.max(...all) + 0.05, 1)] };
}
