/** How the lists in a live state stay bounded. Pure; the twin of webapp/searches/bounded_lists.py. */

/** Places of the points [index, reward, flag] to keep, see kept. What failed or was over a bound is a kind. */
export function keptPoints(points, limit) {
  if (points.length <= limit) return [...points.keys()];
  return kept(points.map(([index, reward, flag]) => [index, reward, Math.max(flag, 1)]), limit);
}

/** The rows to keep, see kept. place, value: where in a row its number among all rows and its figure stand. */
export function thinned(rows, limit, place, value) {
  if (rows.length <= limit) return rows;
  return kept(rows.map((row) => [row[place], row[value], 0]), limit).map((at) => rows[at]);
}

/**
 * Places of the marks [number, value, kind] to keep: all of them up to the limit. Above it, the first and the newest
 * quarter of the limit stay. The older ones are divided by number into stretches of one width, the smallest power of two
 * at which half of the limit is enough. Of each stretch and kind those with the lowest and the highest value stay (the
 * first of equals), or the first where none has a value.
 */
function kept(marks, limit) {
  if (marks.length <= limit) return [...marks.keys()];
  const old = marks.length - Math.floor(limit / 4);
  const older = marks.slice(0, old);
  const widest = Math.max(...marks.map(([number]) => number));
  let width = 1;
  let ends = endsOf(older, width);
  while (ends.size > Math.floor(limit / 2) && width <= widest) ends = endsOf(older, width *= 2);
  const newest = marks.slice(old).map((_, place) => old + place);
  return [...[...ends.add(0)].sort((a, b) => a - b), ...newest];
}

function endsOf(marks, width) {
  const [lows, highs] = [new Map(), new Map()];
  marks.forEach(([number, value, kind], place) => {
    const key = `${Math.floor(number / width)} ${kind}`;
    if (!lows.has(key)) {
      lows.set(key, place);
      highs.set(key, place);
    }
    if (value === null) return;
    const [low, high] = [marks[lows.get(key)][1], marks[highs.get(key)][1]];
    if (low === null || value < low) lows.set(key, place);
    if (high === null || value > high) highs.set(key, place);
  });
  return new Set([...lows.values(), ...highs.values()]);
}

/** The curve up to the epoch before the point's, and the point. */
export function curveWith(curve, point) {
  return [...curve.filter(([epoch]) => epoch < point[0]), point];
}
