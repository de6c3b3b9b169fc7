/** A row of the heat map as pixels: one for each cell and column, which the page then stretches. Pure. */

const SHADES = 256;

/** "#rrggbb" as [red, green, blue]. */
export function colourOf(text) {
  return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
}

/** A ramp of colours, [red, green, blue] each, between these stops ("#rrggbb"), of which the first is for 0. */
export function rampOf(stops) {
  const colours = stops.map(colourOf);
  return Array.from({ length: SHADES }, (_, shade) => {
    const at = (shade / (SHADES - 1)) * (colours.length - 1);
    const low = Math.min(Math.floor(at), colours.length - 2);
    return colours[low].map((part, index) => Math.round(part + (colours[low + 1][index] - part) * (at - low)));
  });
}

/** The colour of a probability. By its root, so that differences between small probabilities show. */
export function shadeOf(ramp, probability) {
  return ramp[Math.round(Math.sqrt(Math.min(Math.max(probability, 0), 1)) * (ramp.length - 1))];
}

/** How decided each of these decisions is, as RGBA of decisions by columns: 1 less entropy over the most there can be. */
export function decidedPixels(decisions, columns, ramp) {
  const shares = decisions.flatMap(({ at, options }) =>
    columns.map(({ entropies }) => 1 - Math.min(entropies[at] / Math.log(options.length), 1)));
  const pixels = new Uint8ClampedArray(shares.length * 4).fill(255);
  shares.forEach((share, place) => pixels.set(shadeOf(ramp, share ** 2), place * 4));
  return pixels;
}

/**
 * RGBA of cells (from top to bottom) by columns (from left to right). cells: [{decision, option}]. banned: the colour of
 * what could not be drawn, which is what has a probability of exactly 0.
 */
export function pixelsOf(cells, columns, ramp, banned) {
  const pixels = new Uint8ClampedArray(cells.length * columns.length * 4);
  let at = 0;
  for (const { decision, option } of cells) {
    for (const { policy } of columns) {
      const probability = policy[decision][option];
      pixels.set(probability === 0 ? banned : shadeOf(ramp, probability), at);
      pixels[at + 3] = 255;
      at += 4;
    }
  }
  return pixels;
}
