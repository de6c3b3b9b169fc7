/** What there is to say of a space before anything is drawn from it. Pure. */

/** How many decisions there are, and how many ways to take them; next: a sentence on when more is shown. */
export function openChoices({ decisions, ended_at: ended }, next) {
  if (!decisions.length) return "";
  const digits = decisions.reduce((sum, { options }) => sum + Math.log10(options.length), 0);
  const ways = digits < 6 ? Math.round(10 ** digits).toLocaleString("en") : `about 10${raised(Math.round(digits))}`;
  return `${decisions.length} open decisions, ${ways} architectures.${ended === null ? ` ${next}` : ""}`;
}

function raised(exponent) {
  return [...String(exponent)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");
}
