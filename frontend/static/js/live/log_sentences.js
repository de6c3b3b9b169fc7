/**
 * The log line of an event, or null where an event is too small for one. Pure; the twin of
 * webapp/searches/log_sentences.py. Numbers with a fraction are left to the page, because the two languages would not write them alike.
 */

/** hasSharedWeights: of a search whose children are its candidates. */
export function sentence(event, hasSharedWeights) {
  const rules = hasSharedWeights && event.kind in OF_CANDIDATES ? OF_CANDIDATES : SENTENCES;
  return rules[event.kind]?.(event) ?? null; // What a later version tells, beside which this one may run, has no line.
}

const SENTENCES = {
  search_started: (event) => ("epochs" in event
    ? `The search started: ${event.epochs} epochs of shared weights, then ${event.children} candidates.`
    : `The search started: ${event.children} children in steps of ${event.step_size}.`),
  step_proposed: drawnSentence,
  child_started: () => null,
  epoch_ended: () => null,
  child_finished: verdict,
  // Evolution and its like have no controller, and where all children were lost there is nothing to learn.
  // Earlier versions said nothing of it, and all learned.
  controller_updated: ({ step, loss }) =>
    `Step ${step}: the ${loss === null ? "strategy was told what came of it" : "controller learned"}.`,
  shared_epoch_ended: ({ step, epochs }) => `Epoch ${step + 1} of ${epochs}: the shared weights learned.`,
  controller_phase_ended: ({ step, epochs }) => `Epoch ${step + 1} of ${epochs}: the controller learned.`,
  finalists_chosen: ({ finalists: { length } }) =>
    `The final round started: ${length === 1 ? "1 finalist is" : `${length} finalists are`} trained again.`,
  finalist_started: () => null,
  finalist_epoch_ended: () => null,
  finalist_finished: (event) => (event.reason === null ? `Finalist ${event.rank} has its held-out accuracy.`
    : `Finalist ${event.rank} came to no end: ${event.reason.replace(/\.$/, "")}.`),
  result_kept: (event) => (event.rank === null ? "The final round is over without a result."
    : `The final round is over: finalist ${event.rank} is kept.`),
  state_changed: (event) => `Now ${event.state}${event.reason === null ? "." : `: ${event.reason}`}`,
  limits_changed: limitsSentence,
  search_steered: (event) => steeredSentence(event, `step ${event.from_step}`),
  architecture_proposed: ({ from_step: step }) =>
    `A person proposed an architecture: it is trained beside step ${step}, off-policy.`,
  job_lost: (event) => `${event.worker} lost ${event.what}: ${event.reason}.`,
  file_damaged: ({ what, is_anew: isAnew }) =>
    `The ${what} was damaged or gone: ${isAnew ? "it starts anew" : "it goes on from the one before"}.`,
  training_started: () => "The training started.",
  training_finished: (event) =>
    `Tested once, on ${event.test_examples} ${"test_perplexity" in event ? "tokens" : "images"}.`,
};

const OF_CANDIDATES = {
  step_proposed: ({ proposals }) => `${proposals.length} candidates are drawn from the final policy and scored.`,
  child_finished: ({ step, slot, reason }) => (reason === null ? null : `Candidate ${step}.${slot} has no score: ${reason}.`),
  search_steered: (event) => steeredSentence(event, `epoch ${event.from_step + 1}`),
};

function limitsSentence({ limits, from_step: step, by, proposals_left_out: leftOut = 0 }) {
  const told = Object.entries(limits).map(([name, value]) => limit(name, value, step)).join(", ");
  const said = by === "time" ? `Its hours are over: ${told}.` : `Limits changed: ${told}.`;
  return said + leftOutSentence(leftOut);
}

function leftOutSentence(proposals) {
  if (!proposals) return "";
  const are = proposals === 1 ? "1 proposed architecture is" : `${proposals} proposed architectures are`;
  return ` ${are} left out, for a step that is not drawn any more, unless the total grows again.`;
}

function drawnSentence({ step, proposals }) {
  const proposed = proposals.filter((proposal) => "off_policy" in proposal).length;
  const told = `Step ${step}: ${proposals.length - proposed} architectures drawn`;
  return proposed ? `${told}, ${proposed} proposed by a person.` : `${told}.`;
}

function steeredSentence({ bans }, since) {
  const told = Object.entries(bans).map(([where, banned]) =>
    (banned.length ? `${where} without ${banned.join(", ")}` : `${where} free again`)).join("; ");
  return `Steered from ${since} on: ${told}.`;
}

function limit(name, value, step) {
  if (value === null) return `any number of ${name}`;
  const counted = `${value} ${value === 1 ? ONE[name] : name}`;
  if (name !== "children" && name !== "epochs") return `at most ${counted}`;
  return `${counted} in all from ${name === "children" ? `step ${step}` : `epoch ${step + 1}`} on`;
}

const ONE = { children: "child", epochs: "epoch", workers: "worker", hours: "hour" };

function verdict({ step, slot, reason, ...rest }) {
  if (reason === null) return null;
  if ("over" in rest) return `Child ${step}.${slot} was never trained, because it is ${reason}.`;
  return `Child ${step}.${slot} has no measured reward: ${reason}.`;
}
