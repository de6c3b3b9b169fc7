/**
 * What a page shows, as a fold over the events of its stream: state n + event n+1 = state n+1. Pure.
 *
 * The twin of webapp/searches/live_state.py, key by key; tests/golden/streams holds both to the same. The state is
 * bounded: it keeps no more than the limits say however long the stream is, apart from the work that is open.
 */

import { curveWith, keptPoints, thinned } from "./bounded.js";
import { frontWith } from "./front.js";
import { sentence } from "./log_sentences.js";
import { indexOf, isOffPolicy } from "./places.js";
import { controllerPhaseEnded, sharedEpochEnded, sharedStarted } from "./shared.js";

export const LIMITS = { points: 1200, steps: 800, log: 60, curve: 24, front: 400, epochs: 600 };
export const [MEASURED, COPIED, FAILED, OVER] = [0, 1, 2, 3]; // Flags of a point; OVER: over a bound, never trained.
export const AXES = ["parameters", "mult_adds", "latency"];

/** The state before any event of a "search" or a "training". */
export function initial(kind) {
  const shared = {
    n: 0, state: "running", reason: null, started_at: null, running_since: null, active_seconds: 0, ended_at: null,
    log: [],
  };
  if (kind === "training") {
    return {
      ...shared, config: {}, parameters: 0, mult_adds: 0, curve: [], epochs: 0,
      test_accuracy: null, test_examples: null, checkpoint: null,
    };
  }
  return {
    ...shared, total: 0, step_size: 0, done: 0, failed: 0, copied: 0, proposed: 0, decisions: [], policy: null,
    pending: {}, running: {}, best: null, latest: null, points: [], sizes: [], steps: [], updates: 0,
    fingerprint: "", losses: 0, finals: null, over: 0, fronts: Object.fromEntries(AXES.map((axis) => [axis, []])),
    max_workers: null, max_hours: null, bans: {}, proposals: { asked: 0, done: 0, left_out: 0 },
  };
}

/**
 * The state after one more event; the given one stays as it was. An event that the state knows already changes
 * nothing; a gap before it is our bug, because the socket hands on events without gaps. Of a kind that this version
 * does not know, which a later one tells beside it during an upgrade, only the number counts.
 */
export function apply(state, event, limits = LIMITS) {
  if (event.n <= state.n) return state;
  if (event.n !== state.n + 1) throw new RangeError(`event ${event.n} cannot follow event ${state.n}`);
  const rules = "curve" in state ? TRAINING : SEARCH;
  const after = { ...state, n: event.n, ...rules[event.kind]?.(state, event, limits) };
  const text = sentence(event, "shared" in after);
  if (text !== null) after.log = [...state.log, { n: event.n, at: event.at, text }].slice(-limits.log);
  return after;
}

// What each event changes.

const SEARCH = {
  search_started: (state, event) => ({
    total: event.children, step_size: event.step_size, decisions: event.decisions,
    started_at: event.at, running_since: event.at,
    ...("epochs" in event && { // The key is there for shared weights alone.
      shared: sharedStarted(event),
    }),
  }),
  step_proposed: stepProposed,
  child_started: childStarted,
  epoch_ended: childEpochEnded,
  child_finished: childFinished,
  controller_updated: controllerUpdated,
  shared_epoch_ended: sharedEpochEnded,
  controller_phase_ended: (state, event, limits) =>
    ({ ...controllerPhaseEnded(state, event, limits), policy: policyOf(event) }),
  finalists_chosen: finalistsChosen,
  finalist_started: (state, event) =>
    finalistChanged(state, event.rank, () => ({ worker: event.worker, attempt: event.attempt })),
  finalist_epoch_ended: finalistEpochEnded,
  finalist_finished: finalistFinished,
  result_kept: (state, event) => ({
    finals: { ...state.finals, is_over: true, kept: event.rank }, fingerprint: event.fingerprint,
  }),
  state_changed: stateChanged,
  limits_changed: limitsChanged,
  search_steered: searchSteered,
  architecture_proposed: ({ proposals }) => ({ proposals: { ...proposals, asked: proposals.asked + 1 } }),
  job_lost: childOrUpdateLost,
  file_damaged: () => ({}), // It is only told in the log.
};

const TRAINING = {
  training_started: (state, event) => ({
    config: event.config, parameters: event.parameters, mult_adds: event.mult_adds,
    epochs: event.config.recipe.epochs, started_at: event.at, running_since: event.at,
    ...(event.data.kind === "text" && { // The key is there for trainings on text alone.
      text: { unigram_perplexity: event.data.unigram_perplexity ?? null, test_perplexity: null },
    }),
  }),
  epoch_ended: (state, event) => ({
    curve: curveWith(state.curve, [
      event.epoch, event.loss, event.accuracy, event.learning_rate, ...(state.text ? [event.perplexity] : [])]),
    epochs: event.epochs,
  }),
  training_finished: (state, event) => ({
    test_accuracy: event.test_accuracy, test_examples: event.test_examples, checkpoint: event.checkpoint,
    ...(state.text && { text: { ...state.text, test_perplexity: event.test_perplexity } }),
  }),
  state_changed: stateChanged,
  job_lost: () => ({}), // It is only told in the log.
  file_damaged: () => ({}),
};

function stepProposed(state, event, limits) {
  const drawn = Object.fromEntries(event.proposals.map(({ slot, hash, architecture }) =>
    [`${event.step}.${slot}`, { hash, architecture }]));
  return {
    policy: policyOf(event),
    pending: { ...state.pending, ...drawn },
    proposed: state.proposed + event.proposals.filter((proposal) => !("off_policy" in proposal)).length,
    ...(!("shared" in state) && { // Candidates are no step.
      steps: thinned([...state.steps, [event.step, null, event.entropy, null]], limits.steps, 0, 1),
    }),
  };
}

function policyOf({ step, entropy, entropies, policy }) {
  return { step, entropy, entropies, probabilities: policy };
}

/** A child that was begun before goes on from its checkpoint, so its curve stays. */
function childStarted(state, event) {
  const key = `${event.step}.${event.slot}`;
  const before = state.running[key];
  const child = {
    step: event.step, slot: event.slot, worker: event.worker, since: event.at, attempt: event.attempt,
    epochs: before?.epochs ?? null, curve: before?.curve ?? [],
  };
  return { running: { ...state.running, [key]: child } };
}

function childEpochEnded(state, event) {
  const key = `${event.step}.${event.slot}`;
  const child = state.running[key];
  if (!child) return {};
  const curve = curveWith(child.curve, [event.epoch, event.loss, event.accuracy]);
  return { running: { ...state.running, [key]: { ...child, epochs: event.epochs, curve } } };
}

function childFinished(state, event, limits) {
  const key = `${event.step}.${event.slot}`;
  const drawn = state.pending[key] ?? { hash: "", architecture: {} };
  const latest = {
    step: event.step, slot: event.slot, reward: event.reward, hash: drawn.hash, architecture: drawn.architecture,
    parameters: event.parameters, mult_adds: event.mult_adds, accuracy: event.accuracy ?? null,
    over: event.over ?? null, times: event.times ?? null,
    ...("perplexity" in event && { perplexity: event.perplexity }), // The key is there for candidates on text alone.
  };
  const counts = event.reason === null && event.reward !== null;
  const flag = flagOf(event);
  const isDrawn = !isOffPolicy(event, state);
  const index = indexOf(event, state);
  const costs = [event.parameters, event.mult_adds, event.latency?.ms ?? null];
  const points = [...state.points, [index, event.reward, flag]];
  const sizes = [...state.sizes, [...costs, event.accuracy ?? null, event.over ?? null, event.times ?? null]];
  const joins = flag === MEASURED && event.reward !== null;
  const kept = keptPoints(points, limits.points);
  return {
    pending: without(state.pending, key),
    running: without(state.running, key),
    done: state.done + (isDrawn ? 1 : 0),
    proposals: { ...state.proposals, done: state.proposals.done + (isDrawn ? 0 : 1) },
    failed: state.failed + (isDrawn && event.reason !== null ? 1 : 0),
    copied: state.copied + (isDrawn && event.twin !== null ? 1 : 0),
    latest,
    over: state.over + (isDrawn && flag === OVER ? 1 : 0),
    fronts: joins ? frontsWith(state.fronts, costs, event.accuracy ?? event.reward, index, limits) : state.fronts,
    best: counts && isBetter(latest, state.best) ? latest : state.best,
    points: kept.map((place) => points[place]),
    sizes: kept.map((place) => sizes[place]),
  };
}

function flagOf({ reason, over, twin }) {
  if (reason !== null) return over ? OVER : FAILED;
  return twin === null ? MEASURED : COPIED;
}

function frontsWith(fronts, costs, accuracy, index, limits) {
  const limit = limits.front ?? LIMITS.front;
  return Object.fromEntries(AXES.map((axis, place) =>
    [axis, frontWith(fronts[axis], [costs[place], accuracy, index], limit)]));
}

function controllerUpdated(state, event) {
  return {
    updates: state.updates + 1,
    fingerprint: event.fingerprint,
    steps: state.steps.map((step) =>
      (step[0] === event.step ? [step[0], event.mean_reward, step[2], event.baseline] : step)),
  };
}

/** began_after: seconds in which the search was running before. */
function finalistsChosen(state, event) {
  const began = state.running_since === null ? 0 : Math.max(0, event.at - state.running_since);
  const finalists = event.finalists.map(({ rank, step, slot, reward, hash, accuracy }) => ({
    rank, step, slot, reward, hash, worker: null, attempt: 0, epochs: null, curve: [], is_final: false,
    accuracy: null, reason: null, parameters: null, mult_adds: null, search_accuracy: accuracy ?? null,
  }));
  return { finals: { done: 0, is_over: false, kept: null, began_after: state.active_seconds + began, finalists } };
}

/** An epoch that was done again after a loss takes the place of its first time. */
function finalistEpochEnded(state, event, limits) {
  return finalistChanged(state, event.rank, ({ curve }) => ({
    epochs: event.epochs,
    curve: thinned(curveWith(curve, [event.epoch, event.loss, event.accuracy]), limits.curve, 0, 2),
  }));
}

function finalistFinished(state, event) {
  const { accuracy, reason, parameters, mult_adds } = event;
  const { finals } = finalistChanged(state, event.rank, () =>
    ({ accuracy, reason, parameters, mult_adds, worker: null, is_final: true }));
  return { finals: { ...finals, done: finals.done + 1 } };
}

function finalistChanged(state, rank, changes) {
  const finalists = state.finals.finalists.map((one) => (one.rank === rank ? { ...one, ...changes(one) } : one));
  return { finals: { ...state.finals, finalists } };
}

function stateChanged(state, event) {
  const change = { state: event.state, reason: event.reason };
  if (event.state === "running") return { ...change, running_since: event.at };
  if (state.running_since !== null) {
    change.active_seconds = state.active_seconds + Math.max(0, event.at - state.running_since); // The clock may be set back.
    change.running_since = null;
  }
  if (event.state !== "paused") {
    change.ended_at = event.at;
    if ("pending" in state) Object.assign(change, { pending: {}, running: {} });
    if (state.finals) {
      const finalists = state.finals.finalists.map((one) => ({ ...one, worker: null }));
      change.finals = { ...state.finals, finalists };
    }
  }
  return change;
}

function limitsChanged(state, { limits, proposals_left_out: leftOut = 0 }) {
  return {
    ...("children" in limits && { total: limits.children, proposals: { ...state.proposals, left_out: leftOut } }),
    ...("workers" in limits && { max_workers: limits.workers }),
    ...("hours" in limits && { max_hours: limits.hours }),
    ...("epochs" in limits && { shared: { ...state.shared, epochs: limits.epochs } }),
  };
}

/** bans: what is banned at each place, and from which step on. */
function searchSteered(state, { bans, from_step: since }) {
  const said = Object.entries(bans).filter(([, banned]) => banned.length).map(([where, banned]) => [where, { banned, since }]);
  const kept = Object.entries(state.bans).filter(([where]) => !(where in bans));
  return { bans: Object.fromEntries([...kept, ...said]) };
}

/** A lost child keeps its curve and waits without a worker until somebody begins again. */
function childOrUpdateLost(state, event) {
  const running = Object.fromEntries(Object.entries(state.running).map(([key, child]) =>
    [key, event.what === `child ${key}` ? { ...child, worker: null } : child]));
  const change = { losses: state.losses + 1, running };
  const lost = state.finals?.finalists.find(({ rank }) => event.what === `finalist ${rank}`);
  return lost ? { ...change, ...finalistChanged(state, lost.rank, () => ({ worker: null })) } : change;
}

function without(dictionary, key) {
  const { [key]: _gone, ...rest } = dictionary;
  return rest;
}

/** A higher reward; of equal ones the child that was drawn first, whichever was finished first. */
function isBetter(child, best) {
  if (best === null || child.reward !== best.reward) return best === null || child.reward > best.reward;
  return child.step !== best.step ? child.step < best.step : child.slot < best.slot;
}
