/** What shared weights say of an architecture, as people read it. Pure. scale: of a reward on text, null on images. */

import { percent, perplexity } from "./format.js";

/** A score: on images an accuracy, on text a perplexity, which the reward is `scale` over. */
export function score(reward, scale) {
  if (reward === null || reward === undefined) return "–";
  if (scale === null || scale === undefined) return percent(reward);
  return reward > 0 ? perplexity(scale / reward) : "beyond all bounds";
}

/** The same with what it is: "61.00 %", "perplexity 64.8". */
export function scoreInWords(reward, scale) {
  return scale === null || scale === undefined ? score(reward, scale) : `perplexity ${score(reward, scale)}`;
}

/** A figure of an epoch, as `guess`, `trained` and `held_out` are. */
export function figure(value, isText) {
  return isText ? perplexity(value) : percent(value);
}
