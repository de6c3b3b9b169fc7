/** <fresh-list>: the list of searches and trainings, whose figures are asked for again while something is going on. */

import { get } from "../api.js";
import { percent, perplexity, rewardBesideAccuracy } from "../drawing/format.js";

const REFRESH_MS = 4000;
const KINDS = { // What the API names each kind, and where its figures stand.
  search: { path: "/api/searches", list: "searches", unit: "children", done: "done", total: "total" },
  training: { path: "/api/trainings", list: "trainings", unit: "epochs", done: "epochs_done", total: "epochs" },
};

class FreshList extends HTMLElement {
  #timer = null;
  #request = null;

  connectedCallback() {
    this.#timer = setInterval(() => this.#ask(), REFRESH_MS);
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
    this.#request?.abort();
  }

  async #ask() {
    if (document.hidden) return;
    this.#request?.abort();
    const { signal } = (this.#request = new AbortController());
    for (const [kind, names] of Object.entries(KINDS)) {
      if (!this.querySelector(`[data-kind="${kind}"] .state:is(.is-running, .is-deleting)`)) continue;
      const answer = await get(`${names.path}?limit=200`, { signal }).catch(() => null); // The next time tells.
      const rows = answer?.[names.list] ?? [];
      for (const row of rows) this.#fill(row, names);
      if (answer) this.#removeDeleted(kind, new Set(rows.map(({ id }) => id)));
    }
  }

  #removeDeleted(kind, there) {
    for (const entry of this.querySelectorAll(`[data-kind="${kind}"]:has(.is-deleting)`)) {
      if (!there.has(entry.dataset.id)) entry.remove();
    }
  }

  #fill(row, names) {
    const entry = this.querySelector(`[data-id="${row.id}"]`);
    if (!entry) return;
    const { done, total, unit } = part(row, names);
    const progress = entry.querySelector("progress");
    progress.max = total;
    progress.value = done;
    progress.setAttribute("aria-label", `${done} of ${total} ${unit}`);
    entry.querySelector("[data-done]").textContent = `${done} of ${total} ${unit}`;
    entry.querySelector("[data-result]").textContent = resultOf(row);
    const state = entry.querySelector(".state");
    state.className = `state is-${row.state}`;
    state.textContent = row.state;
    state.title = row.reason;
  }
}

/** As webapp/searches/pages/listing.py says it. */
function resultOf(row) {
  if (typeof row.best_perplexity === "number") return perplexity(row.best_perplexity);
  if ("best_reward" in row) return rewardBesideAccuracy(row.best_reward, row.best_accuracy);
  return typeof row.test_perplexity === "number" ? perplexity(row.test_perplexity) : percent(row.test_accuracy);
}

/** What is counted now, as the server's list says it: epochs of shared weights, or finalists in the final round. */
function part(row, names) {
  if (row.epochs_shared !== undefined && row.epochs) return { done: row.steps_told, total: row.epochs, unit: "epochs" };
  const { finalists_chosen: chosen, finalists_done: decided } = row;
  if (decided < chosen) return { done: decided, total: chosen, unit: "finalists" };
  return { done: row[names.done], total: row[names.total], unit: names.unit };
}

customElements.define("fresh-list", FreshList);
