/** Between what a form holds and a configuration as JSON. Pure. */

const THOUSANDS = /^[1-9]\d{0,2}(,\d{3})+$/; // "20,000", as the form's own ranges are written.

/**
 * What was typed, as the API should see it: a number where it is one, else the text itself, which the API refuses.
 * "0,5" is a half; "1,000" is a thousand where a whole number is wanted and no number where it might be either.
 */
export function typed(kind, text) {
  if (kind !== "integer" && kind !== "number") return text;
  const trimmed = text.trim();
  const isGrouped = THOUSANDS.test(trimmed);
  if (trimmed === "" || (isGrouped && kind === "number")) return trimmed;
  const value = Number(isGrouped ? trimmed.replaceAll(",", "") : trimmed.replace(",", "."));
  return Number.isFinite(value) ? value : trimmed;
}

/** [["space.blocks", 2], ...] as {space: {blocks: 2}, ...}. */
export function nested(entries) {
  const config = {};
  for (const [path, value] of entries) {
    const names = path.split(".");
    const last = names.pop();
    let part = config;
    for (const name of names) part = part[name] ??= {};
    part[last] = value;
  }
  return config;
}

/** The value at a dotted path; undefined where there is none. */
export function valueAt(config, path) {
  return path.split(".").reduce((part, name) => part?.[name], config);
}

/** A number as one would type it: 0.00001, never 1e-5. */
export function shown(value) {
  if (typeof value !== "number") return String(value ?? "");
  return value.toLocaleString("en", { maximumFractionDigits: 20, useGrouping: false });
}

/** A length of time in words: "about 2 min 20 s", "about 3 days", "about 12 years". */
export function aboutTime(seconds) {
  const [minute, hour, day, year] = [60, 3600, 86400, 365.25 * 86400];
  if (seconds < minute) return `about ${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 10 * minute) {
    const tens = Math.round(seconds / 10) * 10;
    const rest = tens % minute;
    return `about ${Math.floor(tens / minute)} min${rest ? ` ${rest} s` : ""}`;
  }
  if (seconds < 2 * hour) return `about ${Math.round(seconds / minute)} min`;
  if (seconds < 2 * day) return `about ${Math.round(seconds / hour)} hours`;
  if (seconds < 2 * year) return `about ${Math.round(seconds / day).toLocaleString("en")} days`;
  return `about ${Math.round(seconds / year).toLocaleString("en")} years`;
}
