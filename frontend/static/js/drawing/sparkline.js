/** A small curve as an SVG path in a box of width x height, from values in order. Pure. */

export function sparkPath(values, width, height, places) {
  if (!values.length) return "";
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const across = (place) => ((place + 1) / Math.max(places, values.length)) * width;
  const up = (value) => height - ((value - low) / span) * height;
  const points = values.map((value, place) => `${across(place).toFixed(1)} ${up(value).toFixed(1)}`);
  return values.length === 1 ? `M0 ${up(values[0]).toFixed(1)}H${across(0).toFixed(1)}` : `M${points.join("L")}`;
}
