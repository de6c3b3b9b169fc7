/** Test accuracy against cost for Plotly, and filters against cost as a light line. Pure. */

import { axis, filled, layout } from "./figure_base.js";

const TITLES = { parameters: "parameters", mult_adds: "mult-adds of one image" };

/** state: {curve, published, trained, now, along, data}; along: "parameters" or "mult_adds". */
export function transferFigure({ curve, published, trained, now, along, data }, colours) {
  const hover = trained.map(({ name, normal_cells: cells, filters }) => `${name}<br>${cells === null ? "" : `N = ${cells}, `}F = ${filters}`);
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
    { type: "scatter", mode: "markers", name: "test accuracy", x: trained.map((point) => point[along]),
      y: trained.map((point) => point.test_accuracy), text: hover, marker: { color: colours.main, size: 9 },
      hovertemplate: "%{text}<br>%{x:,}: %{y:.4f}<extra></extra>" },
  ];
  const here = now && { type: "line", xref: "x", yref: "paper", x0: now[along], x1: now[along], y0: 0, y1: 1,
    line: { color: colours.mean, width: 1.5, dash: "dot" } };
  return { traces: filled(traces), layout: layout(colours, {
    xaxis: axis(colours, TITLES[along], { type: "log", tickformat: "~s", nticks: 6 }),
    yaxis: axis(colours, trained.length ? `test accuracy, ${data}` : "test accuracy", {
      tickformat: ".2f", showticklabels: trained.length > 0, nticks: 6 }),
    yaxis2: axis(colours, "filters", { overlaying: "y", side: "right", showgrid: false, nticks: 6, rangemode: "tozero" }),
    shapes: here ? [here] : [],
  }) };
}
