/** What is banned in a search, and what a ban would do now, in words; and the bans that a press stands for. Pure. */

import { shortOption } from "./option_names.js";

const TITLES = { input: "Inputs", operation: "Operations", combination: "Combinations", skip: "Skips", source: "Sources", activation: "Activations" };

/** [{where, title, options}]: the kinds of decisions, each with every option that one of its decisions has. */
export function kindsOf(decisions) {
  const kinds = new Map();
  for (const { name, options } of decisions) {
    const where = kindOf(name);
    if (!kinds.has(where)) kinds.set(where, []);
    kinds.get(where).push(...options.filter((option) => !kinds.get(where).includes(option)));
  }
  return [...kinds].map(([where, options]) => ({ where, title: TITLES[where] ?? where, options }));
}

/** The kind of a decision, by its name: "normal 1 input 2" is an input, "layer 3 skip from layer 1" a skip. */
export function kindOf(name) {
  return name.split(" ")[2];
}

/** The decisions that have bans of their own, as [{where, options}]. */
export function namedBans({ bans, decisions }) {
  return decisions.filter(({ name }) => name in bans).map(({ name, options }) => ({ where: name, options }));
}

export function bannedAt({ bans }, where) {
  return bans[where]?.banned ?? [];
}

/** The bans after an option was banned at this place, or taken back. */
export function toggled(state, where, option) {
  const banned = bannedAt(state, where);
  return { [where]: banned.includes(option) ? banned.filter((each) => each !== option) : [...banned, option] };
}

/** The bans that leave this option alone at the place. */
export function pinned(where, options, option) {
  return { [where]: options.filter((each) => each !== option) };
}

/** The first step, or epoch from 0, that a ban of now would hold for. */
export function nextStep({ policy, shared }) {
  if (shared) return shared.steps_told + 1;
  return policy ? policy.step + 1 : 0;
}

/** Whether anything is still to be drawn behind what a ban cannot reach. */
export function canSteer(state) {
  if (!["running", "paused"].includes(state.state)) return false;
  return state.shared ? state.shared.steps_told < state.shared.epochs : state.proposed < state.total;
}

export function whenInWords(state) {
  if (!["running", "paused"].includes(state.state)) return "The search is over.";
  if (!canSteer(state)) {
    return state.shared ? "The candidates are being drawn: a ban would change nothing any more."
      : "Every child is drawn: a ban would change nothing unless there were more of them (Limits).";
  }
  const step = nextStep(state);
  if (state.shared) {
    if (step === state.shared.epochs) return "What you change holds for the candidates, which are drawn behind the epoch under way.";
    return `What you change holds from epoch ${step + 1} on. The epoch under way stays as it is.`;
  }
  if (step === 0) return "Nothing is drawn so far: what you change holds from the first step on.";
  return `What you change holds from step ${step} on. What is drawn already stays.`;
}

/** "without identity, max 3x3, since step 3", or "" where nothing is banned there. */
export function bansInWords(state, where) {
  const said = state.bans[where];
  if (!said) return "";
  const names = said.banned.map(shortOption).join(", ");
  return `without ${names}, ${sinceInWords(state, said.since)}`;
}

function sinceInWords(state, since) {
  const isAhead = since >= nextStep(state);
  if (!state.shared) return `${isAhead ? "from" : "since"} step ${since}${isAhead ? " on" : ""}`;
  if (since >= state.shared.epochs) return "for the candidates";
  return `${isAhead ? "from" : "since"} epoch ${since + 1}${isAhead ? " on" : ""}`;
}

/** Problems of the API as sentences; whoever shows them says where. */
export function problemsInWords(errors) {
  return errors.map(({ message }) => message && message[0].toUpperCase() + message.slice(1)).join(" ");
}
