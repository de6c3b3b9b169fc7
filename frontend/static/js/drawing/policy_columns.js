/**
 * The policy over time as columns, one for a step, bounded. Pure. The server thins in the same way and says in the same
 * way when a decision froze: webapp/searches/policy_history.py.
 *
 * A history is {columns: [{step, policy, entropies}], known, every, frozen, threshold, isRandom}. Its columns stand at
 * the places 0, every, 2 * every, ... of all `known` ones, and the last is always there. frozen: by decision, the first
 * step from which its most probable option stays the same and at least as probable as the threshold; null where not.
 */

export const MOST_COLUMNS = 160;

/** answer: of GET /api/searches/{id}/policy. */
export function historyOf({ steps, policy, entropies, frozen, threshold, known, every, is_random: isRandom }) {
  const columns = steps.map((step, place) => ({ step, policy: policy[place], entropies: entropies[place] }));
  return { columns, known, every, frozen, threshold, isRandom };
}

/** The history with one more step; as it was where it has that step; null where steps between are missing. */
export function withStep(history, column, most = MOST_COLUMNS) {
  const last = history.columns.at(-1);
  if (last && column.step <= last.step) return history;
  if (column.step !== (last ? last.step + 1 : 0)) return null;
  let { every, columns } = history;
  if ((history.known - 1) % every !== 0) columns = columns.slice(0, -1); // It stood there as the last one only.
  columns = [...columns, column];
  while (columns.length > most) {
    every *= 2;
    columns = columns.filter((each, place) => place % 2 === 0 || each === column);
  }
  return { ...history, columns, every, known: history.known + 1, frozen: frozenAfter(history, last, column) };
}

/**
 * The history as it was after a step, which a replay shows. column: of that step. Where steps were thinned, a decision
 * counts as frozen from the first column that is shown.
 */
export function historyUpTo(history, column) {
  const before = history.columns.filter(({ step }) => step < column.step);
  const columns = [...before, column];
  const start = { ...history, frozen: [] };
  const { frozen } = columns.reduce((past, each, place) =>
    ({ ...past, frozen: frozenAfter(past, columns[place - 1], each) }), start);
  return { ...history, columns, frozen };
}

function frozenAfter({ frozen, threshold }, last, { step, policy }) {
  return policy.map((probabilities, decision) => {
    if (probabilities.filter((each) => each > 0).length < 2) return null; // What a person pinned did not freeze.
    const favourite = mostProbable(probabilities);
    if (probabilities[favourite] < threshold) return null;
    const before = frozen[decision] ?? null;
    return before !== null && mostProbable(last.policy[decision]) === favourite ? before : step;
  });
}

/** The place of the most probable option, the first of equals. */
export function mostProbable(probabilities) {
  return probabilities.indexOf(Math.max(...probabilities));
}
