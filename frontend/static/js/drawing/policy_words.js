/** What the map of the policy says in words. Pure. unit: "step", or with shared weights "epoch", counted from 1. */

import { shortOption } from "./option_names.js";
import { mostEntropy } from "./policy_rows.js";

export function percentOf(probability) {
  return `${(probability * 100).toFixed(1)} %`;
}

/** Steps are counted from 0 where children are, epochs from 1. step null: the policy where all options are alike. */
export function columnInWords(step, unit) {
  if (step === null) return "all alike";
  return unit === "epoch" ? `after epoch ${step + 1}` : `step ${step}`;
}

/** "normal 1 operation 1: sep 3x3"; a skip is named by its decision. */
export function optionInWords({ name, text }) {
  return name.endsWith(text) ? name : `${name}: ${shortOption(text)}`;
}

/** What a cell of the map says. */
export function cellInWords(cell, column, uniform, unit) {
  const probability = column.policy[cell.decision][cell.option];
  const alike = uniform.policy[cell.decision][cell.option];
  const found = probability === 0 ? "banned" : percentOf(probability);
  return `${optionInWords(cell)}, ${columnInWords(column.step, unit)}: ${found} (all alike: ${percentOf(alike)})`;
}

/** since: for each open decision of a strip the step from which it is frozen, or null. */
export function fateInWords(since, entropy, unit) {
  const frozen = since.filter((step) => step !== null);
  if (!since.length) return "no choice";
  if (since.length > 1 && frozen.length) return `${frozen.length} of ${since.length} froze, ${entropy.toFixed(2)} nats`;
  if (!frozen.length) return `${entropy.toFixed(2)} nats`;
  return `froze ${unit === "epoch" ? "after epoch" : "at step"} ${frozen[0] + (unit === "epoch" ? 1 : 0)}`;
}

export function shareInWords({ text }, probability) {
  return `${shortOption(text)} ${Math.round(probability * 100)} %`;
}

export function importanceInWords({ share, by_chance: byChance, p, may_be_chance: mayBeChance }, isOfSeveral) {
  const percent = `${Math.round(share * 100)} %`;
  const verdict = mayBeChance ? "may be chance" : "more than chance";
  return {
    short: mayBeChance ? `${percent}, may be chance` : `explains ${percent}`,
    long: `${isOfSeveral ? "Of these decisions the one that explains most explains" : "This decision explains"} ${percent} ` +
      `of the variance of rewards; chance alone gives ${(byChance * 100).toFixed(1)} % (p = ${p < 0.01 ? p.toFixed(3) : p.toFixed(2)}, ${verdict}).`,
  };
}

/** Above the map. history: what is shown of it. */
export function summaryInWords({ decisions, policy, shared, proposed }, history) {
  const most = mostEntropy(decisions).toFixed(2);
  if (!policy) {
    return shared
      ? `No controller phase is over yet. Until then the map shows every option of a decision as probable as the others: ${decisions.length} decisions, ${most} nats of entropy.`
      : `Before the first draw every option of a decision is as probable as the others: ${decisions.length} decisions, ${most} nats of entropy.`;
  }
  const when = !shared ? `Step ${policy.step}` : proposed ? "The candidates" : `After epoch ${policy.step + 1}`;
  const said = `${when}: entropy ${policy.entropy.toFixed(2)} nats of ${most}.`;
  if (history.isRandom && hasBanned(history)) return `${said} Random search learns nothing: what is not banned stays as probable as the rest.`;
  if (history.isRandom) return `${said} Random search learns nothing: every option stays as probable as at the start, so the map is flat.`;
  const frozen = history.frozen.filter((step) => step !== null).length;
  const open = decisions.filter(({ options }) => options.length > 1).length;
  return history.frozen.length ? `${said} ${frozen} of ${open} decisions are frozen.` : said;
}

/** Whether anything was banned in any step that is shown. */
export function hasBanned({ columns }) {
  return columns.some(({ policy }) => policy.some((probabilities) => probabilities.includes(0)));
}
