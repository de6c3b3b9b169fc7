/** Time passed and time left, from a state and the present moment (seconds since 1970). Pure. */

import { finalRoundPart } from "./finalists.js";

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

/** What a training does behind its last epoch, which may take a minute; "" before and after. */
export function behindLastEpoch({ curve, epochs, ended_at: ended, state, text }) {
  if (ended !== null || state !== "running" || !epochs || (curve.at(-1)?.[0] ?? 0) < epochs) return "";
  return `The last epoch is done. Now the test ${text ? "part is" : "images are"} looked at, and the files to take away are made.`;
}

/** Seconds that the rest of the final round should take; null before an epoch of it is done. */
export function finalRoundTimeLeft(state, now) {
  const part = finalRoundPart(state.finals);
  if (state.running_since === null || part === 0 || part === 1) return null;
  return Math.max(0, elapsed(state, now) - state.finals.began_after) * (1 - part) / part;
}

/** Workers that train a child or a finalist of this search now. */
export function busyWorkers(state) {
  const workers = [...Object.values(state.running), ...state.finals?.finalists ?? []].map(({ worker }) => worker);
  return new Set(workers.filter((worker) => worker !== null)).size;
}
