/** The curve of a training for Plotly: loss on the left, held-out accuracy or validation perplexity on the right. Pure. */

import { axis, filled, layout, logRange, shareRange, waiting } from "./figure_base.js";

const MOST_TICKS = 6; // From so many epochs on, no tick falls between two of them.

export function trainingFigure(state, colours) {
  const mode = state.curve.length > 60 ? "lines" : "lines+markers";
  const loss = { type: "scatter", mode, name: "training loss", x: state.curve.map(([epoch]) => epoch),
    y: state.curve.map(([, value]) => value), line: { color: colours.mean, width: 1.5 },
    hovertemplate: "epoch %{x}: loss %{y:.4f}<extra></extra>" };
  const { traces, yaxis2 } = state.text ? perplexities(state, mode, colours) : accuracies(state, mode, colours);
  return { traces: filled([loss, ...traces]), layout: layout(colours, {
    xaxis: axis(colours, "epoch", {
      range: [0.5, Math.max(state.epochs, 1) + 0.5], tickformat: "d",
      ...(state.epochs <= MOST_TICKS && { dtick: 1 }), // Left alone, Plotly repeats a number at half an epoch.
    }),
    yaxis: axis(colours, "loss", {
      rangemode: "tozero", tickmode: "auto", showticklabels: state.curve.length > 0 }),
    yaxis2,
    annotations: state.curve.length ? [] : [waiting(colours, state.ended_at === null
      ? "The first point comes when the first epoch has ended." : "No epoch was finished.")],
  }) };
}

function accuracies(state, mode, colours) {
  const measured = state.curve.filter(([, , accuracy]) => accuracy !== null);
  const trace = { type: "scatter", mode, name: "accuracy on held-out images", yaxis: "y2",
    x: measured.map(([epoch]) => epoch), y: measured.map(([, , accuracy]) => accuracy),
    line: { color: colours.main, width: 3 }, hovertemplate: "epoch %{x}: accuracy %{y:.4f}<extra></extra>" };
  return { traces: [trace], yaxis2: axis(colours, "accuracy", {
    overlaying: "y", side: "right", showgrid: false, ...shareRange(trace.y) }) };
}

/** On a logarithmic axis, because the first epochs take it down by factors; with what guessing by frequency gives. */
function perplexities(state, mode, colours) {
  const points = state.curve.map((point) => [point[0], point[4]]);
  const trace = { type: "scatter", mode, name: "perplexity on the validation part", yaxis: "y2",
    x: points.map(([epoch]) => epoch), y: points.map(([, value]) => value),
    line: { color: colours.main, width: 3 }, hovertemplate: "epoch %{x}: perplexity %{y:.1f}<extra></extra>" };
  const unigram = state.text.unigram_perplexity?.valid;
  const line = { type: "scatter", mode: "lines", name: "guessing by frequency alone", yaxis: "y2",
    x: unigram ? [0.5, Math.max(state.epochs, 1) + 0.5] : [], y: [unigram, unigram],
    line: { color: colours.ink, width: 1.5, dash: "dash" },
    hovertemplate: "guessing by frequency alone: perplexity %{y:.1f}<extra></extra>" };
  const values = [...points.map(([, value]) => value), ...(unigram ? [unigram] : [])];
  return { traces: points.length ? [line, trace] : [], yaxis2: axis(colours, "perplexity", {
    type: "log", overlaying: "y", side: "right", showgrid: false, ...logRange(values) }) };
}
