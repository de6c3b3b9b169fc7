/** What there is to say of a search in which every child so far has failed, from a state. Pure. */

/** "" where a child has a measured reward, or where too few have a verdict to speak of. */
export function withoutReward({ best, done, failed, over, step_size: step, ended_at: ended }) {
  if (best !== null || failed === 0 || failed < done) return "";
  if (ended === null && done < step) return "";
  if (over === done) return allOver(done, ended);
  const what = ended === null
    ? `None of the ${done} children so far has a reward: all of them failed.`
    : `No child has a reward, so there is no best cell: ${done === 1 ? "the only one" : `all ${done}`} failed.`;
  return `${what} The log says why. Where they diverged, a lower learning rate helps; where memory ran out, fewer `
    + "filters, smaller images or smaller batches. Clone this search and change that.";
}

/** Where nothing was trained at all, what helps is another bound. */
function allOver(done, ended) {
  const what = ended === null
    ? `None of the ${done} children so far was trained: all of them are over a bound.`
    : `No child was trained, so there is no best cell: ${done === 1 ? "the only one is" : `all ${done} are`} over a bound.`;
  return `${what} The log says by how much. Clone this search and choose looser bounds, or fewer filters or cells.`;
}
