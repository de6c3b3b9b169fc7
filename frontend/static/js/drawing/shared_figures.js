/**
 * Figures of shared weights for Plotly: state and colours in, traces and layout out. Pure. Epochs count from 1.
 * Texts must hold no markup such as <b>: Plotly would write a style attribute, which the content policy refuses.
 */

import { axis, filled, layout, logRange, shareRange, waiting } from "./figure_base.js";

const MOST_MARKED = 60; // Epochs; beyond them lines have no points.
const MOST_TICKS = 8; // From so many epochs on, no tick falls between two of them.
const MARGINS = { l: 56, r: 56, t: 6, b: 36 };

/** Training loss on the left; accuracy or perplexity of training and validation on the right, and what guessing gives. */
export function weightsFigure({ shared }, colours) {
  const { curve, is_text: isText, guess, epochs } = shared;
  const told = curve.filter(({ held_out: value }) => value !== null);
  const learned = curve.filter(({ trained }) => trained !== null);
  const name = isText ? "perplexity" : "accuracy";
  const form = isText ? ".1f" : ".4f";
  const loss = { ...line(curve, ({ loss: value }) => value, curve), line: { color: colours.mean, width: 1.5 },
    hovertemplate: "epoch %{x}: training loss %{y:.4f}<extra></extra>" };
  const right = [
    { ...line(learned, ({ trained }) => trained, curve), line: { color: colours.main, width: 1.25, dash: "dot" },
      hovertemplate: `epoch %{x}: ${name} while learning %{y:${form}}<extra></extra>` },
    { ...line(told, ({ held_out: value }) => value, curve), line: { color: colours.main, width: 3 },
      hovertemplate: `epoch %{x}: validation ${name} %{y:${form}}<extra></extra>` },
  ];
  const guessing = curve.length && guess !== null ? [{
    type: "scatter", mode: "lines", x: [0.5, Math.max(epochs, 1) + 0.5], y: [guess, guess],
    line: { color: colours.ink, width: 1.25, dash: "dash" }, hovertemplate: `guessing: ${name} %{y:${form}}<extra></extra>`,
  }] : [];
  const values = [...right, ...guessing].flatMap(({ y }) => y);
  const onRight = [...guessing, ...right].map((trace) => ({ ...trace, yaxis: "y2" }));
  return { traces: filled([loss, ...onRight]), layout: layout(colours, {
    margin: MARGINS,
    xaxis: epochAxis(colours, epochs),
    yaxis: axis(colours, "training loss (nats)", { tickmode: "auto", nticks: 6, showticklabels: curve.length > 0 }),
    yaxis2: axis(colours, name, { overlaying: "y", side: "right", showgrid: false,
      ...(isText ? { type: "log", ...logRange(values) } : shareRange(values)) }),
    annotations: curve.length ? [] : [waiting(colours, "The first point comes when the first shared epoch has ended.")],
  }) };
}

/** The mean and best score of each controller phase, and how the mean went within it. scale: of text, or null. */
export function scoresFigure({ shared }, colours, scale) {
  const told = shared.curve.filter(({ mean_reward: value }) => value !== null);
  const within = told.flatMap(({ step, stretches }) => [
    ...stretches.map((value, place) => [step + 0.5 + (place + 0.5) / stretches.length, value]), [null, null]]);
  const traces = [
    { type: "scatter", mode: "lines", x: within.map(([x]) => x), y: within.map(([, y]) => y), connectgaps: false,
      line: { color: colours.point, width: 1.25 }, hovertemplate: "%{y:.4f} within the phase<extra></extra>" },
    { ...line(told, ({ best_reward: value }) => value, told), line: { color: colours.best, width: 1.5 },
      hovertemplate: "epoch %{x}: best %{y:.4f}<extra></extra>" },
    { ...line(told, ({ mean_reward: value }) => value, told), line: { color: colours.main, width: 3 },
      hovertemplate: "epoch %{x}: mean %{y:.4f}<extra></extra>" },
  ];
  const isText = scale !== null && scale !== undefined;
  return { traces: told.length ? filled(traces) : [], layout: layout(colours, {
    margin: { ...MARGINS, r: 12 },
    xaxis: epochAxis(colours, shared.epochs),
    yaxis: axis(colours, isText ? `${scale} / perplexity` : "accuracy, one minibatch", {
      tickmode: "auto", nticks: 5, showticklabels: told.length > 0 }),
    annotations: told.length ? [] : [waiting(colours, "Scores come with the first controller phase.")],
  }) };
}

/** Mean entropy of a decision, by what it decides. */
export function entropyFigure({ shared }, colours) {
  const told = shared.curve.filter(({ entropies }) => entropies.length > 0);
  const tones = familyColours(colours);
  const traces = shared.families.map((family, place) => ({
    ...line(told, ({ entropies }) => entropies[place], told), line: { color: tones[place % tones.length], width: 2 },
    hovertemplate: `epoch %{x}: ${family} %{y:.3f} nats<extra></extra>`,
  }));
  const highest = Math.max(0.1, ...told.flatMap(({ entropies }) => entropies));
  return { traces: filled(traces), layout: layout(colours, {
    margin: { ...MARGINS, r: 12 },
    xaxis: epochAxis(colours, shared.epochs),
    yaxis: axis(colours, "nats a decision", {
      range: [0, highest * 1.1], tickmode: "auto", nticks: 5, showticklabels: told.length > 0 }),
    annotations: told.length ? [] : [waiting(colours, "It is known after the first controller phase.")],
  }) };
}

function familyColours({ main, best, entropy, mean }) {
  return [main, best, entropy, mean];
}

function line(rows, value, all) {
  return { type: "scatter", mode: all.length > MOST_MARKED ? "lines" : "lines+markers", marker: { size: 5 },
    x: rows.map(({ step }) => step + 1), y: rows.map(value) };
}

function epochAxis(colours, epochs) {
  return axis(colours, "epoch", {
    range: [0.4, Math.max(epochs, 1) + 0.6], tickformat: "d", ...(epochs <= MOST_TICKS && { dtick: 1 }) });
}
