/**
 * What the live state knows of shared weights: epoch by epoch, bounded. Pure; the twin of
 * webapp/searches/live_shared.py, which says what every key means.
 */

import { thinned } from "./bounded.js";

const NOT_TOLD = {
  held_out: null, mean_reward: null, best_reward: null, baseline: null, entropy: null, entropies: [], stretches: [],
  phase_seconds: null,
};

/** The part of the state that is there for shared weights alone. */
export function sharedStarted({ at, data, epochs }) {
  const isText = data.kind === "text";
  const classes = data.classes?.length ?? 0;
  return {
    epochs, epochs_shared: 0, steps_told: 0, since: at, is_text: isText,
    guess: isText ? data.unigram_perplexity?.valid ?? null : classes ? 1 / classes : null,
    families: [], curve: [], drawn: null, best: null, sampled: null,
  };
}

export function sharedEpochEnded({ shared }, event, limits) {
  const { at, step, hash, loss, learning_rate, seconds } = event;
  const row = { step, loss, trained: figureOf(event), learning_rate, shared_seconds: seconds, ...NOT_TOLD };
  return { shared: {
    ...shared, epochs_shared: step + 1, since: at, drawn: { step, hash },
    curve: thinned([...shared.curve, row], limits.epochs, "step", "mean_reward"),
  } };
}

export function controllerPhaseEnded({ shared, updates }, event, limits) {
  const { at, step, mean_reward, best_reward, baseline, entropy, family_entropies: families } = event;
  const told = {
    held_out: figureOf(event), mean_reward, best_reward, baseline, entropy, entropies: Object.values(families),
    stretches: event.curve, phase_seconds: event.seconds,
  };
  const rows = shared.curve.map((row) => (row.step === step ? { ...row, ...told } : row));
  const newest = rows.length - limits.curve;
  return {
    shared: {
      ...shared, steps_told: step + 1, since: at, families: Object.keys(families),
      curve: rows.map((row, place) => (place < newest ? { ...row, stretches: [] } : row)),
      best: scored(event, "best"), sampled: scored(event, "sampled"),
    },
    updates: updates + 1,
    fingerprint: event.fingerprint,
  };
}

/** Accuracy or perplexity, whichever is there. */
function figureOf({ accuracy, perplexity }) {
  return accuracy ?? perplexity ?? null;
}

function scored(event, which) {
  const { hash, reward } = event[which];
  return { step: event.step, hash, reward };
}
