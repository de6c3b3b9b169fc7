/** Time passed and time left, from a state and the present moment (seconds since 1970). Pure. */

/** Seconds in which the stream was running, pauses left out. */
export function elapsed(state, now) {
  return state.active_seconds + (state.running_since === null ? 0 : Math.max(0, now - state.running_since));
}

/** Seconds that the rest should take at the pace so far; null where there is no pace yet, or nothing is left. */
export function timeLeft(state, now) {
  if (state.running_since === null || state.done >= state.total) return null;
  const begun = Object.values(state.running).map((child) =>
    child.epochs ? Math.min(child.curve.length / child.epochs, 1) : 0);
  const done = state.done + begun.reduce((sum, part) => sum + part, 0);
  return state.done === 0 ? null : (elapsed(state, now) / done) * (state.total - done);
}

/** The same of a training, by its epochs. */
export function trainingTimeLeft(state, now) {
  const done = state.curve.length;
  if (state.running_since === null || done === 0 || done >= state.epochs) return null;
  return (elapsed(state, now) / done) * (state.epochs - done);
}

/** Workers that train a child of this search now. */
export function busyWorkers(state) {
  return new Set(Object.values(state.running).map((child) => child.worker).filter((worker) => worker !== null)).size;
}
