/** The limits of a search as a form shows and sends them, from its state. Pure. */

import { duration } from "./format.js";
import { elapsed } from "./progress.js";

/** What the length of a search is counted in. */
export function totalName(state) {
  return state.shared ? "epochs" : "children";
}

/** By name; null for no limit. */
export function limitsInForce(state) {
  const total = state.shared ? state.shared.epochs : state.total;
  return { [totalName(state)]: total, workers: state.max_workers, hours: state.max_hours };
}

/** The typed texts that differ from what is in force, as the API wants them: an empty text stands for no limit. */
export function limitsToSend(state, typed) {
  const inForce = limitsInForce(state);
  const values = Object.entries(typed).map(([name, text]) => [name, text.trim() === "" ? null : Number(text)]);
  return Object.fromEntries(values.filter(([name, value]) => value !== inForce[name]));
}

/** Whether the number of children or epochs may still change. */
export function totalIsOpen(state) {
  return state.shared ? state.shared.steps_told < state.shared.epochs : state.finals === null;
}

/** What a new number of children or epochs would do now. */
export function totalNote(state) {
  if (state.shared) {
    const { epochs, steps_told: told } = state.shared;
    if (told >= epochs) return "The candidates are being chosen, so the number of epochs stays.";
    return `Epoch ${told + 1} of ${epochs} is under way, which stays. A new number holds behind it.`;
  }
  if (state.finals !== null) return "The final round has begun, so the number of children stays.";
  if (state.proposed === 0) return "None are drawn so far: the first step is drawn under the new limit.";
  const drawn = state.proposed === 1 ? "1 is" : `${state.proposed} are`;
  return `${drawn} drawn already, which stay. The next step is drawn under the new limit.`;
}

export function hoursNote(state, now) {
  const what = state.shared ? "the epoch under way" : "the children that are drawn";
  return `Running for ${duration(elapsed(state, now))} so far, without pauses. When the hours are over, it ends with ${what}.`;
}

/** The limits beside the length, in a few words, or "" where there are none. */
export function limitsInShort(state) {
  const workers = state.max_workers === null ? [] : [`at most ${counted(state.max_workers, "worker")}`];
  const hours = state.max_hours === null ? [] : [`at most ${counted(state.max_hours, "hour")}`];
  return [...workers, ...hours].join(", ");
}

function counted(value, one) {
  return `${value} ${one}${value === 1 ? "" : "s"}`;
}
