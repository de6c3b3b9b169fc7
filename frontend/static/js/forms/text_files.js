/** Which files make a text. Pure. The server has the same rule; here it is told before a refusal stands in the console. */

const PARTS = ["train", "valid", "test"];

/** Why files of these names are no text, as a sentence; "" where they may be one. */
export function problemOfTexts(names) {
  if (names.length === 1) return "";
  if (names.length !== 3) return `These are ${names.length} files; a text is one, or three: train, valid and test.`;
  const missing = PARTS.filter((part) => names.filter((name) => name.toLowerCase().includes(part)).length !== 1);
  return missing.length ? `Exactly one of the three files must have ${missing.join(", and one ")} in its name.` : "";
}
