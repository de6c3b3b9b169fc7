/** <own-architecture data-id="...">: rename and delete, each in a dialog of the page. */

import { change } from "../api.js";
import { write } from "./build.js";
import { emptyError, showErrors } from "./form-fields.js";

class OwnArchitecture extends HTMLElement {
  #clicked = (event) => {
    const action = event.target.closest("[data-act]")?.dataset.act;
    if (action === "ask-rename") this.#ask("rename");
    else if (action === "ask-delete") this.#ask("delete");
    else if (action === "close") event.target.closest("dialog").close();
    else if (action === "delete") this.#delete();
  };
  #submitted = (event) => {
    event.preventDefault();
    this.#rename();
  };

  connectedCallback() {
    this.addEventListener("click", this.#clicked);
    this.addEventListener("submit", this.#submitted);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this.#clicked);
    this.removeEventListener("submit", this.#submitted);
  }

  get #path() {
    return `/api/architectures/${this.dataset.id}`;
  }

  #ask(what) {
    showErrors(this, []);
    this.querySelector(`[data-dialog="${what}"]`).showModal();
    if (what === "rename") this.#name.select();
  }

  get #name() {
    return this.querySelector("#new-name");
  }

  async #rename() {
    const missing = emptyError(this.#name);
    showErrors(this, missing);
    if (missing.length) return;
    try {
      await change("PATCH", this.#path, { name: this.#name.value });
      location.reload();
    } catch (error) {
      showErrors(this, [{ field: "name", message: error.errors?.[0]?.message ?? error.message }]);
    }
  }

  async #delete() {
    try {
      await change("DELETE", this.#path);
      location.assign("/architectures");
    } catch (error) {
      write(this.querySelector("[data-problem]"), error.message);
    }
  }
}

customElements.define("own-architecture", OwnArchitecture);
