/** Which phase a search with shared weights is in, and how long the rest takes. Pure. now: seconds since 1970. */

import { elapsed } from "./progress.js";

const LATEST = 3; // Epochs that the next one is expected to be like.

export const PHASES = { share: "shared weights", teach: "controller", derive: "candidates", over: "over" };

/** "share", "teach", "derive" or "over", and the epoch from 1 that it belongs to. */
export function phaseOf({ ended_at: ended, shared: { epochs, epochs_shared: shared, steps_told: told } }) {
  if (ended !== null) return { phase: "over", epoch: told };
  if (told >= epochs) return { phase: "derive", epoch: epochs };
  return { phase: shared > told ? "teach" : "share", epoch: told + 1 };
}

/** Seconds in which this phase has been running; what a pause took is known only of the last one, and left out. */
export function phaseElapsed(state, now) {
  if (state.running_since === null) return null;
  return Math.max(0, now - Math.max(state.shared.since, state.running_since));
}

/** Seconds that the phase should take in all; null where nothing is known of it yet. */
export function phaseExpected(state) {
  const { phase } = phaseOf(state);
  const key = { share: "shared_seconds", teach: "phase_seconds" }[phase];
  return key ? mean(state.shared.curve, key) : null;
}

/**
 * Seconds until the last controller phase should be over. epochSeconds: of one epoch as it was estimated before the
 * first, or null.
 */
export function sharedTimeLeft(state, now, epochSeconds) {
  const { epochs, curve, steps_told: told, epochs_shared: done } = state.shared;
  if (state.running_since === null || told >= epochs) return null;
  const known = [mean(curve, "shared_seconds"), mean(curve, "phase_seconds")];
  const each = known.includes(null) ? epochSeconds : known[0] + known[1];
  if (each === null || each === undefined) return null;
  const begun = phaseElapsed(state, now) + (done > told ? known[0] ?? 0 : 0);
  return (epochs - told) * each - Math.min(begun, each);
}

/** The part of all epochs that is done, an epoch's shared half counted as a half. */
export function sharedPart({ shared: { epochs, epochs_shared: shared, steps_told: told } }) {
  return epochs ? (told + shared) / (2 * epochs) : 0;
}

/** What the strip shows. */
export function sharedStrip(state, now, { epoch_seconds: epochSeconds }) {
  const { phase } = phaseOf(state);
  const left = state.shared.steps_told >= state.shared.epochs ? 0 : sharedTimeLeft(state, now, epochSeconds);
  return { phase: PHASES[phase], elapsed: elapsed(state, now), left, part: sharedPart(state) };
}

function mean(curve, key) {
  const known = curve.map((row) => row[key]).filter((value) => value !== null).slice(-LATEST);
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
}
