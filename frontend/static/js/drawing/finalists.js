/** The final round in figures and words, from a state. Pure. */

/** Best accuracy first; then who is trained now or waits, by rank; last who came to no end. */
export function ranked({ finalists }) {
  const group = ({ is_final: isFinal, accuracy }) => (accuracy !== null ? 0 : isFinal ? 2 : 1);
  return [...finalists].sort((a, b) =>
    group(a) - group(b) || (b.accuracy ?? 0) - (a.accuracy ?? 0) || a.rank - b.rank);
}

/** One or two sentences: what happens, or what came of it. */
export function standing({ finals, state }) {
  const count = finals.finalists.length;
  if (count === 0) return "No child has a measured reward, so nobody is in the final round.";
  const what = `${count === 1 ? "The best child is trained again from scratch and kept."
    : `The ${count} best different children are trained again from scratch; the best of them on the held-out images is kept.`
  } The paper does so with its best 250.`;
  if (!finals.is_over) return state === "running" || state === "paused" ? what : `${what} It was not finished.`;
  if (finals.kept === null) return `${what} None of them came to an end.`;
  return `${what} Finalist ${finals.kept} is the search's result: its held-out accuracy decided, and the test images have not been looked at.`;
}

/** Part of the final round's epochs that is done, in [0, 1]. */
export function finalRoundPart({ finalists }) {
  if (!finalists.length) return 1;
  const parts = finalists.map(({ is_final: isFinal, epochs, curve }) =>
    (isFinal ? 1 : epochs && curve.length ? curve.at(-1)[0] / epochs : 0));
  return parts.reduce((sum, part) => sum + part, 0) / finalists.length;
}
