/** Quotas between forms, the API and words. Pure. */

const NAMES = ["running", "gigabytes", "worker_hours"];

/** What a form holds, as the API wants it: an empty field is no limit. */
export function withoutEmpty(sent) {
  const quotas = Object.fromEntries(Object.entries(sent.quotas).map(([name, value]) => [name, value === "" ? null : value]));
  return { ...sent, quotas };
}

/** [{name, title, words, share}] of what somebody uses. share: of the quota, 0 to 1; null where there is no limit. */
export function usageRows({ quotas, used }) {
  return NAMES.map((name) => ({
    name,
    title: { running: "Open now", gigabytes: "Files", worker_hours: "Work of workers" }[name],
    words: usageWords(name, used[name], quotas[name]),
    share: quotas[name] === null ? null : quotas[name] === 0 ? 1 : Math.min(1, used[name] / quotas[name]),
  }));
}

/** What an invitation or a person may use, in one line. */
export function quotaWords(quotas) {
  const limited = NAMES.filter((name) => quotas[name] !== null);
  if (limited.length === 0) return "no limits";
  return `at most ${limited.map((name) => `${figure(quotas[name])} ${unit(name)}`).join(", ")}`;
}

function usageWords(name, used, quota) {
  const unlimited = { running: "", gigabytes: " GB", worker_hours: " hours" }[name];
  if (quota === null) return `${figure(used)}${unlimited}, no limit`;
  return `${figure(used)} of ${figure(quota)}${unlimited}`;
}

function unit(name) {
  return { running: "open", gigabytes: "GB", worker_hours: "hours of workers" }[name];
}

function figure(value) {
  return value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 2 : 1 });
}
