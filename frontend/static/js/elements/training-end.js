/** <training-end>: what shows once a training has ended: its one look at the test images, and its files. */

import { get } from "../api.js";
import { bytes, percent, perplexity } from "../drawing/format.js";
import { streamPaths } from "../live/paths.js";
import { build, write } from "./build.js";

const BUNDLE = "Bundle"; // The label that results.record_training gives it.
const MAIN = { class: "button is-main" }, PLAIN = { class: "button" };

class TrainingEnd extends HTMLElement {
  #listed = false;

  render(state, page) {
    const isTested = state.checkpoint !== null;
    const now = isTested ? "tested" : state.ended_at === null ? "waiting" : "untested";
    for (const node of this.querySelectorAll("[data-when]")) node.hidden = node.dataset.when !== now;
    if (!isTested) return;
    write(this.querySelector("[data-test]"), state.text ? perplexityTold(state)
      : `${percent(state.test_accuracy)} on ${state.test_examples.toLocaleString("en")} test images, looked at once`);
    if (!this.#listed) this.#list(streamPaths(page).api);
  }

  async #list(api) {
    this.#listed = true;
    const list = this.querySelector("[data-artifacts]");
    try {
      const { artifacts } = await get(`${api}/artifacts`);
      const isBundled = artifacts.some(({ label }) => label === BUNDLE);
      for (const node of this.querySelectorAll("[data-bundled]")) node.hidden = (node.dataset.bundled === "yes") !== isBundled;
      artifacts.sort((one, other) => (other.label === BUNDLE) - (one.label === BUNDLE));
      list.replaceChildren(...artifacts.map(({ id, label, filename, size }) => build("li", {},
        build("a", { href: `/api/artifacts/${id}`, download: filename, ...(label === BUNDLE ? MAIN : PLAIN) },
          label === BUNDLE ? "Download bundle" : label),
        build("span", { class: "quiet small number" }, ` ${filename}, ${bytes(size)}`))));
    } catch (error) {
      this.#listed = false; // The next change of the state asks again.
      list.replaceChildren(build("li", { class: "is-error small" }, error.message));
    }
  }
}

function perplexityTold({ text, test_examples: tokens }) {
  const unigram = text.unigram_perplexity;
  const beside = unigram ? `; guessing by frequency alone: ${perplexity(unigram.test)}` : "";
  return `Perplexity ${perplexity(text.test_perplexity)} on ${tokens.toLocaleString("en")} test tokens, looked at once${beside}`;
}

customElements.define("training-end", TrainingEnd);
