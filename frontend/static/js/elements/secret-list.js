/**
 * What is made and shown once, then listed until it is revoked: tokens, invitations. An element has a list, a dialog with
 * a form, and in it what was made; each kind says where it is kept, how one is made, and how it is told.
 */

import { change, get } from "../api.js";
import { build, write } from "./build.js";
import { showErrors } from "./form-fields.js";
import { sendForm } from "./sent-form.js";
import "./shown-once.js";

export class SecretList extends HTMLElement {
  /** path: of the list in the API; rows: their name in its answers; nobody: the sentence where there is none. */
  static path;
  static rows;
  static nobody;

  /** Makes one of what the form holds; the texts that the <shown-once> of the element then show, in their order. */
  async made() {
    throw new Error("Each kind says how one is made.");
  }

  /** {nodes, revoke}: of a row, what it says and what its button is called. */
  told() {
    throw new Error("Each kind says how it is told.");
  }

  connectedCallback() {
    this.addEventListener("submit", this);
    this.addEventListener("click", this);
    this.#safely(async () => this.#list(await get(this.constructor.path)));
  }

  disconnectedCallback() {
    this.removeEventListener("submit", this);
    this.removeEventListener("click", this);
  }

  get #dialog() {
    return this.querySelector("dialog");
  }

  handleEvent(event) {
    const button = event.target.closest("[data-act]");
    if (event.type === "submit") {
      event.preventDefault();
      this.#make(event.target);
    } else if (button?.dataset.act === "new") this.#open();
    else if (button?.dataset.act === "close") this.#dialog.close();
    else if (button?.dataset.act === "revoke") this.#revoke(button.dataset.id);
  }

  #open() {
    const form = this.querySelector("form");
    form.reset();
    showErrors(form, []);
    this.#show(false);
    this.#dialog.showModal();
  }

  #show(isMade) {
    this.querySelector("form").hidden = isMade;
    this.querySelector("[data-made]").hidden = !isMade;
  }

  #make(form) {
    return sendForm(form, async (values) => {
      const texts = await this.made(values);
      const shown = [...this.querySelectorAll("shown-once")];
      texts.forEach((text, place) => shown[place].show(text));
      this.#show(true);
      shown[0].querySelector("button").focus();
      this.#list(await get(this.constructor.path));
    });
  }

  #revoke(id) {
    return this.#safely(async () => {
      this.#list(await change("DELETE", `${this.constructor.path}/${id}`));
      this.querySelector('[data-act="new"]').focus(); // The button that was pressed is gone.
    });
  }

  async #safely(act) {
    try {
      await act();
    } catch (error) {
      write(this.querySelector("[data-said]"), error.message);
    }
  }

  #list(answer) {
    const { rows, nobody } = this.constructor;
    write(this.querySelector("[data-said]"), answer[rows].length ? "" : nobody);
    this.querySelector("[data-rows]").replaceChildren(...answer[rows].map((row) => {
      const { nodes, revoke } = this.told(row);
      return build("li", { class: "people-row" }, ...nodes,
        build("button", { class: "button", type: "button", "data-act": "revoke", "data-id": row.id, "aria-label": revoke }, "Revoke"));
    }));
  }
}
