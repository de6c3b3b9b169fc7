/** <training-end>: what shows once a training has ended: its one look at the test images, and its files. */

import { get, newKey, post } from "../api.js";
import { bytes, percent, perplexity } from "../drawing/format.js";
import { streamPaths } from "../live/paths.js";
import { build, write } from "./build.js";

const BUNDLE = "Bundle"; // The label that results.record_training gives it.
const LOOK_MILLISECONDS = 2000; // While a bundle is in the making; the log of an ended training has no word of it.
const TOLD = {
  absent: "There is no bundle of this training yet: a zip that runs without Cellwright. A worker makes it in about ten seconds.",
  waiting: "The bundle waits for a worker.",
  making: "A worker makes the bundle. This takes about ten seconds, longer for a large network.",
  failed: "Making the bundle failed every time it was tried. The weights below are whole; you can try again.",
};
const MAIN = { class: "button is-main" }, PLAIN = { class: "button" };

class TrainingEnd extends HTMLElement {
  #listed = false;
  #timer = null;
  #api = "";
  #clicked = (event) => {
    if (event.target.closest("[data-make-bundle]")) this.#make();
  };

  connectedCallback() {
    this.addEventListener("click", this.#clicked);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this.#clicked);
    clearTimeout(this.#timer);
  }

  render(state, page) {
    const isTested = state.checkpoint !== null;
    const now = isTested ? "tested" : state.ended_at === null ? "waiting" : "untested";
    for (const node of this.querySelectorAll("[data-when]")) node.hidden = node.dataset.when !== now;
    if (!isTested) return;
    write(this.querySelector("[data-test]"), state.text ? perplexityTold(state)
      : `${percent(state.test_accuracy)} on ${state.test_examples.toLocaleString("en")} test images, looked at once`);
    if (!this.#listed && page.gets_files) this.#list(streamPaths(page).api);
  }

  async #make() {
    this.#tell("waiting");
    try {
      await post(`${this.#api}/bundle`, {}, { key: newKey() });
      this.#list(this.#api);
    } catch (error) {
      this.#tell("absent", error.message);
    }
  }

  /** What a bundle that is not there is waiting for. complaint: what went wrong instead. */
  #tell(bundle, complaint = "") {
    const isUnderWay = bundle === "waiting" || bundle === "making";
    const told = this.querySelector("[data-bundle-told]");
    write(told, complaint || TOLD[bundle] || "");
    told.classList.toggle("is-error", complaint !== "" || bundle === "failed");
    const button = this.querySelector("[data-make-bundle]");
    button.disabled = isUnderWay;
    write(button, isUnderWay ? "Making the bundle…" : bundle === "failed" ? "Try again" : "Make the bundle");
    clearTimeout(this.#timer);
    if (isUnderWay && this.isConnected) this.#timer = setTimeout(() => this.#list(this.#api), LOOK_MILLISECONDS);
  }

  async #list(api) {
    this.#listed = true;
    this.#api = api;
    const list = this.querySelector("[data-artifacts]");
    try {
      const { artifacts, bundle } = await get(`${api}/artifacts`);
      const isBundled = bundle === "there";
      for (const node of this.querySelectorAll("[data-bundled]")) node.hidden = (node.dataset.bundled === "yes") !== isBundled;
      this.#tell(bundle);
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
