/** <own-data data-id="..." data-state="...">: waits for the check, uses what was checked, deletes it. */

import { change, get, newKey, post } from "../api.js";
import { write } from "./build.js";
import { showErrors } from "./form-fields.js";

const PAUSE_BETWEEN_LOOKS = 700; // Milliseconds.

class OwnData extends HTMLElement {
  #timer = 0;
  #key = newKey();

  connectedCallback() {
    this.addEventListener("click", this);
    this.addEventListener("submit", this);
    if (this.dataset.state === "checking") this.#lookSoon();
  }

  disconnectedCallback() {
    this.removeEventListener("click", this);
    this.removeEventListener("submit", this);
    clearTimeout(this.#timer);
  }

  get #path() {
    return `/api/data/${this.dataset.id}`;
  }

  handleEvent(event) {
    if (event.type === "submit") {
      event.preventDefault();
      this.#use(event.target);
      return;
    }
    const action = event.target.closest("[data-act]")?.dataset.act;
    if (action === "ask-delete") this.querySelector("dialog").showModal();
    else if (action === "close") this.querySelector("dialog").close();
    else if (action === "delete") this.#delete();
  }

  #lookSoon() {
    this.#timer = setTimeout(() => this.#look(), PAUSE_BETWEEN_LOOKS);
  }

  async #look() {
    try {
      const { kind, state, progress } = await get(this.#path);
      if (state !== "checking") {
        location.reload();
        return;
      }
      const line = this.querySelector("[data-said]");
      const counted = kind === "images" && progress.of;
      const far = counted ? `: ${progress.done.toLocaleString("en")} of ${progress.of.toLocaleString("en")}` : "";
      write(line, `${line.dataset.how}${far}.`);
    } catch (error) {
      write(this.querySelector("[data-said]"), error.message);
    }
    this.#lookSoon();
  }

  async #use(form) {
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const { id } = await post(`${this.#path}/use`, { title: form.querySelector("input").value }, { key: this.#key });
      location.assign(`/data/${id}`);
    } catch (error) {
      button.disabled = false;
      this.#key = newKey();
      const elsewhere = showErrors(this, error.errors ?? []);
      write(this.querySelector("[data-problem]"), elsewhere.map((each) => each.message).join(" "));
    }
  }

  async #delete() {
    try {
      await change("DELETE", this.#path);
      location.assign("/data");
    } catch (error) {
      write(this.querySelector("[data-delete-problem]"), error.message);
    }
  }
}

customElements.define("own-data", OwnData);
