/** Buttons of which one is pressed: which of several kinds is shown. */

import { build } from "./build.js";

/** label: of the group; kinds: [[kind, name]]; choose(kind): what a click does. */
export function kindSwitch(label, kinds, choose) {
  const group = build("div", { class: "switch", role: "group", "aria-label": label },
    ...kinds.map(([kind, name]) => build("button", { type: "button", "data-kind": kind }, name)));
  group.addEventListener("click", ({ target }) => {
    const kind = target.closest("button")?.dataset.kind;
    if (kind) choose(kind);
  });
  return group;
}

/** shown: the kind of the pressed button, null for none; isThere(kind): whether there is one to show. */
export function press(group, shown, isThere) {
  for (const button of group.children) {
    const { kind } = button.dataset;
    button.setAttribute("aria-pressed", String(kind === shown));
    button.disabled = !isThere(kind);
  }
}
