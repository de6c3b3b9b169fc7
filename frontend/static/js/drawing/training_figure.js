/** The curve of a training for Plotly: loss on the left, held-out accuracy on the right. Pure. */

import { axis, filled, layout, waiting } from "./figure_base.js";

const MOST_TICKS = 6; // From so many epochs on, no tick falls between two of them.

export function trainingFigure(state, colours) {
  const measured = state.curve.filter(([, , accuracy]) => accuracy !== null);
  const mode = state.curve.length > 60 ? "lines" : "lines+markers";
  const traces = [
    { type: "scatter", mode, name: "training loss", x: state.curve.map(([epoch]) => epoch),
      y: state.curve.map(([, loss]) => loss), line: { color: colours.mean, width: 1.5 },
      hovertemplate: "epoch %{x}: loss %{y:.4f}<extra></extra>" },
    { type: "scatter", mode, name: "accuracy on held-out images", yaxis: "y2", x: measured.map(([epoch]) => epoch),
      y: measured.map(([, , accuracy]) => accuracy), line: { color: colours.main, width: 3 },
      hovertemplate: "epoch %{x}: accuracy %{y:.4f}<extra></extra>" },
  ];
  return { traces: filled(traces), layout: layout(colours, {
    xaxis: axis(colours, "epoch", {
      range: [0.5, Math.max(state.epochs, 1) + 0.5], tickformat: "d",
      ...(state.epochs <= MOST_TICKS && { dtick: 1 }), // Left alone, Plotly repeats a number at half an epoch.
    }),
    yaxis: axis(colours, "loss", {
      rangemode: "tozero", tickmode: "auto", showticklabels: state.curve.length > 0 }),
    yaxis2: axis(colours, "accuracy", {
      overlaying: "y", side: "right", showgrid: false, tickformat: ".2f", tickmode: "auto", nticks: 6 }),
    annotations: state.curve.length ? [] : [waiting(colours, state.ended_at === null
      ? "The first point comes when the first epoch has ended." : "No epoch was finished.")],
  }) };
}
