/**
 * Which children no cheaper or equally cheap one reaches, kept up to date one child at a time. Pure; the twin of
 * front_with in webapp/searches/bounded_lists.py.
 */

/**
 * The front with a point [cost, accuracy, index], or as it was where another is at least as cheap and as accurate.
 * front: such points, both cost and accuracy rising. A point without a cost does not join. Beyond the limit every
 * second point between the two ends goes.
 */
export function frontWith(front, point, limit) {
  const [cost, accuracy] = point;
  if (cost === null) return front;
  const place = upTo(front, cost);
  if (place > 0 && front[place - 1][1] >= accuracy) return front;
  const start = place > 0 && front[place - 1][0] === cost ? place - 1 : place;
  let end = place;
  while (end < front.length && front[end][1] <= accuracy) end += 1;
  const after = [...front.slice(0, start), point, ...front.slice(end)];
  if (after.length <= limit) return after;
  return after.filter((_, at) => at === 0 || at === after.length - 1 || at % 2 === 1);
}

/** How many points cost no more, found by halving. */
function upTo(front, cost) {
  let [low, high] = [0, front.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (front[middle][0] <= cost) low = middle + 1;
    else high = middle;
  }
  return low;
}
