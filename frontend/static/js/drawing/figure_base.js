/** What all charts share. Pure. colours: {ink, quiet, grid, paper, ...} as CSS colour texts. */

export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

export function layout(colours, parts) {
  return {
    margin: { l: 58, r: 54, t: 8, b: 42 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: FONT, size: 12, color: colours.quiet },
    hoverlabel: { bgcolor: colours.paper, bordercolor: colours.grid, font: { family: FONT, color: colours.ink } },
    hovermode: "closest",
    dragmode: false,
    showlegend: false,
    uirevision: "kept",
    ...parts,
  };
}

/** Traces that hold something: Plotly writes broken paths for axes that only empty ones belong to. */
export function filled(traces) {
  return traces.filter(({ x }) => x.length);
}

export function axis(colours, title, parts = {}) {
  return {
    title: { text: title, standoff: 8, font: { size: 11 } },
    type: "linear", gridcolor: colours.grid, linecolor: colours.grid, zeroline: false,
    automargin: false, fixedrange: true,
    color: colours.quiet, ...parts,
  };
}

const MANTISSAS = [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 5, 7], [1, 1.2, 1.5, 1.7, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8]];

/** Ticks of a logarithmic axis over these values: from three to six round numbers, where there are so many. */
export function logTicks(values) {
  const tickvals = roundNumbers(Math.min(...values), Math.max(...values));
  return tickvals.length ? { tickmode: "array", tickvals, tickangle: 0 } : { nticks: 4, tickangle: 0 };
}

function roundNumbers(low, high) {
  if (!(low > 0 && high < Infinity)) return [];
  const found = MANTISSAS.map((mantissas) => between(low, high, mantissas)).find(({ length }) => length >= 3) ?? [];
  const every = Math.ceil(found.length / 6);
  return found.filter((_, place) => place % every === 0);
}

function between(low, high, mantissas) {
  const powers = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) powers.push(power);
  return powers.flatMap((power) => mantissas.map((mantissa) => Number(`${mantissa}e${power}`)))
    .filter((value) => value >= low && value <= high);
}

// Of the numbers at a logarithmic axis: where it spans less than a factor of ten, and else.
const CLOSE_FIGURES = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8], WIDE_FIGURES = [1, 2, 5];

/** Range and ticks of a logarithmic axis with some air around these values. */
export function logRange(values) {
  if (!values.length) return {};
  const [low, high] = [Math.min(...values) / 1.15, Math.max(...values) * 1.15];
  const figures = high / low < 10 ? CLOSE_FIGURES : WIDE_FIGURES;
  const ticks = [];
  for (let size = 10 ** Math.floor(Math.log10(low)); size <= high; size *= 10) {
    ticks.push(...figures.map((figure) => Number((figure * size).toPrecision(2))).filter((tick) => tick >= low && tick <= high));
  }
  return { range: [Math.log10(low), Math.log10(high)], tickmode: "array", tickvals: ticks, ticktext: ticks.map(String) };
}

/** Range of an axis of shares with some air around these, never beyond what a share can be; Plotly words its ticks. */
export function shareRange(values) {
  const known = values.filter((value) => value !== null);
  if (!known.length) return { tickmode: "auto", nticks: 6 };
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const air = Math.max((high - low) * 0.08, 0.0005);
  return { range: [Math.max(0, low - air), Math.min(1, high + air)], tickmode: "auto", nticks: 6 };
}

const LONGEST_LINE = 30; // Characters: beside the axes of a chart a phone has room for them.

/** A sentence in the middle of a chart that has nothing to show. */
export function waiting(colours, text) {
  const font = { size: 13, color: colours.quiet };
  return { text: inLines(text).join("<br>"), font, showarrow: false, xref: "paper", yref: "paper", x: 0.5, y: 0.5 };
}

/** Plotly breaks no lines by itself, and what is too long for a phone would be cut off at both ends. */
function inLines(text) {
  const lines = [""];
  for (const word of text.split(" ")) {
    if (lines.at(-1).length + word.length > LONGEST_LINE) lines.push("");
    lines.push(`${lines.pop()} ${word}`.trim());
  }
  return lines;
}
