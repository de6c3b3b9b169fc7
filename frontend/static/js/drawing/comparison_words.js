/** How a comparison with random search is put in a few words. Pure. */

/** By verdict: its title, and which mark of the style sheet it has. */
export const VERDICTS = {
  ahead: ["The controller is ahead", "good"],
  undecided: ["May be chance", "open"],
  "not ahead": ["Random is as good or better", "warn"],
  waiting: ["No verdict yet", "open"],
};

/**
 * A difference of shares in points, with its sign: 0.0125 is "+1.25 points"; what rounds to nothing has none. Of rewards
 * in which cost weighs it is a plain number: "+0.0125".
 */
export function points(difference, isWeighed = false) {
  return isWeighed ? signed(difference, true) : `${signed(difference)} points`;
}

/** {text, label} of a lead over random search; null where there is none to take yet. */
export function lead(difference, isWeighed = false) {
  if (difference === null || difference === undefined) return { text: "–", label: "lead over random" };
  const text = points(difference, isWeighed);
  const label = text.startsWith("+") ? "ahead of random" : text.startsWith("−") ? "behind random" : "level with random";
  return { text, label };
}

/** The same of networks that were trained from scratch, as the API compares them; of perplexities less is better. */
export function leadFromScratch({ difference, measured, verdict }) {
  if (verdict === "undecided") return { text: lead(difference).text, label: "ahead, may be chance" };
  if (difference === null || measured === "accuracy") return lead(difference);
  const text = `${difference < 0 ? "−" : "+"}${Math.abs(difference).toFixed(1)}`;
  return { text, label: `${difference < 0 ? "ahead of" : difference > 0 ? "behind" : "level with"} random, perplexity` };
}

/** Without the word: "+1.25". */
export function signed(difference, isWeighed = false) {
  const size = isWeighed ? Math.abs(difference).toFixed(4) : Math.abs(difference * 100).toFixed(2);
  if (Number(size) === 0) return size;
  return `${difference < 0 ? "−" : "+"}${size}`;
}
