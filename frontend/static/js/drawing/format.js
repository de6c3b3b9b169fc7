/** Numbers as people read them. Pure. Widths stay alike, so that nothing jumps while figures change. */

const NONE = "–";

/** A share in [0, 1] as percent with two decimals: 0.7153 is "71.53 %". */
export function percent(share) {
  return share === null || share === undefined ? NONE : `${(share * 100).toFixed(2)} %`;
}

/**
 * A reward. Where it is the accuracy, as percent; where cost weighs in it, it is no share, and so a number: "0.7153".
 */
export function reward(value, isWeighed) {
  return isWeighed && value !== null && value !== undefined ? value.toFixed(4) : percent(value);
}

/** As reward, with the accuracy beside it where that is another figure: "0.7153, accuracy 70.20 %". In Python: templatetags/shares.py. */
export function rewardBesideAccuracy(value, accuracy) {
  const isWeighed = accuracy !== null && accuracy !== undefined;
  return reward(value, isWeighed) + (isWeighed ? `, accuracy ${percent(accuracy)}` : "");
}

/** A perplexity: 72.8431 is "72.8". */
export function perplexity(value) {
  if (value === null || value === undefined) return NONE;
  return value.toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/** A count with a unit prefix and three figures: 1234567 is "1.23 M". */
export function count(value) {
  if (value === null || value === undefined) return NONE;
  for (const [size, prefix] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (value >= size) return `${(value / size).toPrecision(3)} ${prefix}`;
  }
  return String(value);
}

/** Seconds as "0:07", "12:34" or "1:02:03". */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return NONE;
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (part) => String(part).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** How long something took: "0.8 s", "12.4 s", then as a duration. */
export function took(seconds) {
  if (seconds === null || seconds === undefined) return NONE;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : duration(seconds);
}

/** The time of day of a moment in seconds since 1970. */
export function clock(moment) {
  return moment === null ? NONE : new Date(moment * 1000).toLocaleTimeString("en-GB");
}

/** A size in bytes: "12.3 MB". */
export function bytes(size) {
  return size === null || size === undefined ? NONE : `${count(size)}B`.replace(/(\d)B$/, "$1 B");
}

/** A length of time in its two largest units: 4530 is "1 h 15 min". In Python: templatetags/shares.py. */
export function roughly(seconds) {
  const minutes = Math.floor(seconds / 60);
  const [hours, days] = [Math.floor(minutes / 60), Math.floor(minutes / 1440)];
  if (days) return `${days} d ${hours % 24} h`;
  if (hours) return `${hours} h ${minutes % 60} min`;
  return minutes ? `${minutes} min` : "less than 1 min";
}
