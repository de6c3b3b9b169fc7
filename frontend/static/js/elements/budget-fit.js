/** <budget-fit>: sizes that come closest under a budget, asked of the API; a row sets the fields around it. */

import { post } from "../api.js";
import { typed } from "../forms/values.js";
import { build, write } from "./build.js";
import { sentence } from "./form-fields.js";

class BudgetFit extends HTMLElement {
  #network = null;
  #asking = null;
  #listening = null;

  connectedCallback() {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    this.querySelector("form").addEventListener("submit", (event) => this.#submit(event), { signal });
    this.querySelector("tbody").addEventListener("click", (event) => this.#choose(event), { signal });
  }

  disconnectedCallback() {
    this.#listening.abort();
    this.#asking?.abort();
  }

  /** What the fields around hold. Rows that were found for another network stay until the next fit is asked for. */
  network(network) {
    this.#network = network;
  }

  async #submit(event) {
    event.preventDefault();
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    const of = this.querySelector("#budget-of").value;
    const budget = typed("integer", this.querySelector("#budget").value);
    try {
      const reply = await post("/api/architectures/fit", { ...this.#network, of, budget }, { signal: asking.signal });
      this.#show(reply);
    } catch (error) {
      if (error.name !== "AbortError") this.#show({ fits: null, errors: [{ field: "", message: error.message }] });
    }
  }

  #show({ fits, errors }) {
    const words = errors.map(({ field, message }) => (field === "budget" || !field ? sentence(message) : `${field} ${message}`));
    write(this.querySelector("#budget-error"), words.join(" "));
    if (errors.length) return;
    const nothing = build("tr", {}, build("td", { colspan: 3 }, "The smallest network is over this budget."));
    this.querySelector("tbody").replaceChildren(...(fits.length ? fits.map(row) : [nothing]));
  }

  #choose(event) {
    const { dataset } = event.target.closest("button") ?? {};
    if (!dataset) return;
    const layout = { filters: Number(dataset.filters) };
    if (dataset.cells) layout.normal_cells = Number(dataset.cells);
    this.dispatchEvent(new CustomEvent("size-chosen", { bubbles: true, detail: { layout } }));
  }
}

function row({ normal_cells: cells, filters, parameters, mult_adds: multAdds }) {
  const title = cells === null ? `F = ${filters}` : `N = ${cells}, F = ${filters}`;
  const button = build("button", { class: "button", type: "button", "data-cells": cells ?? "", "data-filters": filters }, title);
  const number = (value) => build("td", { class: "is-number" }, value.toLocaleString("en"));
  return build("tr", {}, build("td", {}, button), number(parameters), number(multAdds));
}

customElements.define("budget-fit", BudgetFit);
