/**
 * Strategies share fields but not what they start from. With another strategy a field that still holds what the one
 * before starts from gets what this one does; a strategy that comes back gets its values back.
 */

import { fieldValue, fillFields } from "./form-fields.js";
import { nested } from "../forms/values.js";

export class OwnDefaults {
  #root;
  #input = null; // The choice that is made.
  #left = new Map(); // By choice that was made before: its values by path.

  constructor(root) {
    this.#root = root;
    this.remember();
  }

  /** The fields were filled by something else: what is there now is where we are. */
  remember() {
    this.#input = this.#root.querySelector("input[data-fills]:checked") ?? this.#input;
    this.#left.clear();
  }

  /** A field was changed; where it makes the choice, fill in what belongs to it. */
  changed(input) {
    if (input === this.#input || !input.dataset.fills) return;
    const before = fillsOf(this.#input);
    const held = Object.keys(before).map((path) => [path, fieldValue(this.#root, path)]);
    const values = this.#left.get(input) ?? Object.entries(fillsOf(input)).filter(([path]) => this.#isUntouched(path, before));
    this.#left.set(this.#input, held);
    this.#input = input;
    fillFields(this.#root, nested(values));
  }

  #isUntouched(path, before) {
    return !(path in before) || before[path] === fieldValue(this.#root, path);
  }
}

function fillsOf(input) {
  return JSON.parse(input?.dataset.fills ?? "{}");
}
