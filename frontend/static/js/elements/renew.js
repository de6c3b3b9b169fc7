/**
 * A drawing in place of another one, where only what differs is laid out and painted anew: of a network of sixty-four
 * layers an edit changes one. What was only marked in the page, by a class as by a tabindex, stays as it was marked.
 */

/** shown: the element that shows `before`; it, or the one in its place, shows `drawn` then. */
export function renew(shown, before, drawn) {
  if (before.isEqualNode(drawn)) return;
  const isRoot = drawn.localName === "svg";
  if (isRoot) for (const { name, value } of drawn.attributes) shown.setAttribute(name, value);
  const isAlike = isRoot || before.cloneNode().isEqualNode(drawn.cloneNode());
  const [children, then, now] = [shown, before, drawn].map((element) => [...element.children]);
  if (!isAlike || !now.length || then.length !== now.length) shown.replaceWith(document.importNode(drawn, true));
  else now.forEach((child, at) => renew(children[at], then[at], child));
}
