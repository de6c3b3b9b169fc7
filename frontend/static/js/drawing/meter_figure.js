/**
 * The honesty meter as a figure for Plotly: shared score against what training from scratch gave. Pure. On text both
 * are perplexities, so that a rising row of points says the same as on images: the two agree.
 */

import { axis, filled, layout, shareRange, waiting } from "./figure_base.js";
import { percent, perplexity } from "./format.js";
import { scoreInWords } from "./scores.js";

/** By verdict of the API: its title, and which mark of the style sheet it has. */
export const METER_VERDICTS = {
  agrees: ["Shared scores say something", "good"],
  unclear: ["Left open by these networks", "open"],
  disagrees: ["Shared scores mislead here", "warn"],
  "no order": ["No order to compare", "open"],
};

/** Trained networks, lowest x first: {key, x, y, words}. key: the address of the training. scale: null on images. */
export function meterPoints({ networks }, scale) {
  const isText = scale !== null;
  return networks.filter(({ held_out: heldOut, score }) => heldOut !== null && (!isText || score > 0))
    .map(({ step, slot, score, held_out: heldOut, training_url: key }) => ({
      key, x: isText ? scale / score : score, y: heldOut,
      words: `candidate ${step}.${slot}: shared ${isText ? "" : "score "}${scoreInWords(score, scale)}, from scratch ` +
        (isText ? `perplexity ${perplexity(heldOut)}` : percent(heldOut)),
    }))
    .sort((a, b) => a.x - b.x || a.y - b.y);
}

/** chosen: the key of the point that has the keyboard's ring, or null. isOpen: some are still in training. */
export function meterFigure({ points, isText, chosen, isOpen }, colours) {
  const ring = points.filter(({ key }) => key === chosen);
  const traces = [
    { ...places(points), type: "scatter", mode: "markers", name: "network", marker: { color: colours.main, size: 10 },
      customdata: points.map(({ key, words }) => [key, words]), hovertemplate: "%{customdata[1]}<extra></extra>" },
    { ...places(ring), type: "scatter", mode: "markers", name: "chosen", hoverinfo: "skip",
      marker: { color: colours.best, size: 18, symbol: "circle-open", line: { width: 2 } } },
  ];
  const range = (of) => (isText ? aroundRange(of) : { ...shareRange(of), tickformat: ".3f", nticks: 5 });
  return { traces: filled(traces), layout: layout(colours, {
    margin: { l: 62, r: 16, t: 8, b: 42 },
    hoverdistance: 12,
    xaxis: axis(colours, isText ? "perplexity under shared weights" : "score under shared weights", {
      showticklabels: points.length > 0, tickangle: 0, ...range(points.map(({ x }) => x)) }),
    yaxis: axis(colours, isText ? "validation perplexity from scratch" : "held-out accuracy from scratch", {
      showticklabels: points.length > 0, ...range(points.map(({ y }) => y)) }),
    annotations: points.length ? [] : [waiting(colours, isOpen
      ? "The first point comes when a network is trained." : "No network was trained to its end.")],
  }) };
}

function places(points) {
  return { x: points.map(({ x }) => x), y: points.map(({ y }) => y) };
}

function aroundRange(values) {
  if (!values.length) return {};
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const air = Math.max((high - low) * 0.08, high * 0.005);
  return { range: [Math.max(0, low - air), high + air], tickmode: "auto", nticks: 5 };
}
