/**
 * Words that explain themselves, in text that a script writes: the same button as {% term %} makes in a template, with
 * the same card, which the page brings along by {% script_terms %}. A file that writes some has them as TERMS, the words
 * by the key of their term; tests hold that every page of its script has their cards.
 */

import { build, write } from "./build.js";

/** The nodes of a text, in which the first of each of the words is a button. terms: {key: "words"}. */
export function explained(text, terms) {
  return partsOf(text, terms).map(([words, key]) => (key === null ? document.createTextNode(words)
    : build("button", { class: "term", type: "button", popovertarget: `term-${key}` }, words)));
}

/** Let a node say such a text. A button of the text before stays the same one, with focus and card. */
export function writeExplained(node, text, terms) {
  if (node.textContent === text) return;
  const parts = partsOf(text, terms);
  const now = [...node.childNodes];
  const isLaid = now.length === parts.length && parts.every(([, key], at) => keyOf(now[at]) === key);
  if (!isLaid) node.replaceChildren(...explained(text, terms));
  else parts.forEach(([words], at) => write(now[at], words));
}

/** [[words, key of their term or null]], in the order of the text. */
function partsOf(text, terms) {
  const found = Object.entries(terms).map(([key, words]) => ({ key, at: text.search(new RegExp(`\\b${words}\\b`, "i")), words }))
    .filter(({ at }) => at >= 0).sort((one, other) => one.at - other.at);
  const parts = [];
  let end = 0;
  for (const { key, at, words } of found) {
    if (at < end) continue; // Within the words before it.
    parts.push([text.slice(end, at), null], [text.slice(at, at + words.length), key]);
    end = at + words.length;
  }
  return [...parts, [text.slice(end), null]].filter(([words]) => words);
}

function keyOf(node) {
  return node.nodeType === Node.TEXT_NODE ? null : node.getAttribute("popovertarget")?.replace(/^term-/, "");
}
