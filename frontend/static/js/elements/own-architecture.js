/** <own-architecture data-id="...">: rename and delete, each in a dialog of the page. */

import { change } from "../api.js";
import { write } from "./build.js";
import { sentence } from "./form-fields.js";

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
    this.#say("");
    this.querySelector(`[data-dialog="${what}"]`).showModal();
    if (what === "rename") this.querySelector("#new-name").select();
  }

  async #rename() {
    try {
      await change("PATCH", this.#path, { name: this.querySelector("#new-name").value });
      location.reload();
    } catch (error) {
      this.#say(sentence(error.errors?.[0]?.message ?? error.message));
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

  #say(text) {
    write(this.querySelector("#new-name-error"), text);
    this.querySelector("#new-name").toggleAttribute("aria-invalid", false);
    if (text) this.querySelector("#new-name").setAttribute("aria-invalid", "true");
  }
}

customElements.define("own-architecture", OwnArchitecture);
