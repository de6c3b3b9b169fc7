/**
 * In a start form: whoever chooses a data set gets an image size and counts that it can give, and is told so. What was
 * wanted before is kept in mind, so that going back to a larger set brings it back.
 */

import { fitted } from "../forms/data_fit.js";
import { shown, typed } from "../forms/values.js";
import { write } from "./build.js";

const FIELDS = { imageSize: "data.image_size", train: "data.train_examples", heldOut: "data.held_out_examples" };

export class DataFit {
  #root;
  #wanted;

  /** root: of a start form; one without images has nothing to fit. */
  constructor(root) {
    this.#root = root;
    this.remember();
  }

  /** What the fields say now is what is wanted. */
  remember() {
    this.#wanted = Object.fromEntries(
      Object.keys(FIELDS).map((name) => [name, typed("integer", this.#field(name)?.value ?? "")]),
    );
    this.#say("");
  }

  changed(input) {
    if (Object.values(FIELDS).includes(input.dataset.path)) this.remember();
    else if (input.dataset.trainExamples) this.#fit(input.dataset);
  }

  #fit({ title, imageSize, trainExamples }) {
    const there = { title, imageSize: Number(imageSize), train: Number(trainExamples) };
    const { said, ...values } = fitted(this.#wanted, there);
    for (const [name, value] of Object.entries(values)) this.#field(name).value = shown(value);
    this.#say(said.join(" "));
  }

  #field(name) {
    return this.#root.querySelector(`[data-path="${FIELDS[name]}"]`);
  }

  #say(sentence) {
    const line = this.#root.querySelector("[data-fit]");
    if (line) write(line, sentence);
  }
}
