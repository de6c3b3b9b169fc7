/**
 * Searches that take an edited architecture: one that runs can train it as one more child, shared weights can give it a
 * score. What was asked stays in its row until another architecture is shown.
 */

import { get, post } from "../api.js";
import { build, write } from "./build.js";

const PAUSE_BEFORE_ASKING = 400; // Milliseconds without an edit: who edits waits for picture and counts alone.
const PAUSE_BEFORE_LOOKING = 1000; // Milliseconds until one looks again whether a score is there.
const VERBS = { proposal: "Propose it", score: "Ask for a score" };

export class EditorSearches {
  #root;
  #signal;
  #reply = null;
  #timer = 0;

  constructor(root, signal) {
    this.#root = root;
    this.#signal = signal;
    root.addEventListener("click", (event) => this.#ask(event.target.closest("[data-takes]")), { signal });
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  show(reply) {
    if (reply.hash === this.#reply?.hash || reply.architecture === null) return;
    this.#reply = reply;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fill(reply), PAUSE_BEFORE_ASKING);
    for (const button of this.#root.querySelectorAll("[data-takes]")) button.disabled = true; // Until it is known again.
  }

  async #fill(reply) {
    try {
      const { searches } = await post("/api/architectures/edits/searches", { architecture: reply.architecture }, { signal: this.#signal });
      if (reply !== this.#reply) return;
      this.#root.hidden = searches.length === 0;
      this.#root.querySelector("ul").replaceChildren(...searches.map(row));
    } catch (error) {
      if (error.name !== "AbortError") this.#root.querySelector("ul").replaceChildren(build("li", { class: "is-error" }, error.message));
    }
  }

  async #ask(button) {
    if (!button) return;
    const { reply, said } = { reply: this.#reply, said: button.closest("li").querySelector("[data-said-here]") };
    const search = `/api/searches/${button.dataset.search}`;
    button.disabled = true;
    write(said, "Asking.");
    try {
      const body = { architecture: reply.architecture };
      if (button.dataset.takes === "score") await this.#follow(await post(`${search}/scores`, body), said);
      else showProposal(said, await post(`${search}/proposals`, body));
    } catch (error) {
      write(said, error.message);
    }
    if (button.dataset.takes === "score") button.disabled = false;
  }

  /** Look until the score is there or nobody looks any more. */
  async #follow(score, said) {
    let now = score;
    for (;;) {
      write(said, now.sentences.join(" "));
      if (now.state !== "waiting" || this.#signal.aborted || !said.isConnected) return;
      await new Promise((done) => setTimeout(done, PAUSE_BEFORE_LOOKING));
      now = await get(`/api/searches/${score.search}/scores/${score.id}`, { signal: this.#signal });
    }
  }
}

function row({ id, name, url, state, takes, refusal }) {
  const button = build("button", { class: "button", type: "button", "data-takes": takes, "data-search": id, disabled: refusal !== "" }, VERBS[takes]);
  return build("li", {}, button,
    build("div", {}, build("a", { href: url }, name), build("span", { class: "small quiet" }, ` ${state}`),
      build("p", { class: "small", role: "status", "data-said-here": "" }, refusal)));
}

function showProposal(said, { step, slot, url }) {
  said.replaceChildren(`It will be child ${step}.${slot}, drawn by nobody: `, build("a", { href: url }, "the search"), " shows it.");
}
