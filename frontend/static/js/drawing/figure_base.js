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

/** A sentence in the middle of a chart that has nothing to show. */
export function waiting(colours, text) {
  const font = { size: 13, color: colours.quiet };
  return { text, font, showarrow: false, xref: "paper", yref: "paper", x: 0.5, y: 0.5 };
}
