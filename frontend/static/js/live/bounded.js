/** How the lists in a live state stay bounded. Pure; the twin of webapp/searches/bounded_lists.py. */

/**
 * Places of the points to keep: all of them up to the limit. Above it, the newest quarter of the limit stays; of every
 * four older ones in a row, the lowest and the highest reward (the first of equals), in their order.
 */
export function keptPoints(points, limit) {
  if (points.length <= limit) return [...points.keys()];
  const old = points.length - Math.floor(limit / 4);
  const whole = old - (old % 4);
  const kept = [];
  for (let start = 0; start < whole; start += 4) {
    const places = [start, start + 1, start + 2, start + 3].filter((place) => points[place][1] !== null);
    if (!places.length) {
      kept.push(start);
      continue;
    }
    const low = places.reduce((least, place) => (points[place][1] < points[least][1] ? place : least));
    const high = places.reduce((most, place) => (points[place][1] > points[most][1] ? place : most));
    kept.push(...(low === high ? [low] : [Math.min(low, high), Math.max(low, high)]));
  }
  for (let place = whole; place < points.length; place += 1) kept.push(place);
  return kept;
}

/** All steps up to the limit. Above it, the newest quarter of the limit, and the first of every two older ones. */
export function thinSteps(steps, limit) {
  if (steps.length <= limit) return steps;
  const old = steps.length - Math.floor(limit / 4);
  return steps.filter((_, place) => place >= old || place % 2 === 0);
}

/** The curve up to the epoch before the point's, and the point. */
export function curveWith(curve, point) {
  return [...curve.filter(([epoch]) => epoch < point[0]), point];
}
