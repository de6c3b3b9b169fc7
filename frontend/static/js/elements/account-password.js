/** <account-password>: sets or changes one's password, and signs out one's other browsers. */

import { change, post } from "../api.js";
import { write } from "./build.js";
import { sendForm } from "./sent-form.js";

class AccountPassword extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", this);
    this.addEventListener("click", this);
  }

  disconnectedCallback() {
    this.removeEventListener("submit", this);
    this.removeEventListener("click", this);
  }

  handleEvent(event) {
    if (event.type === "submit") {
      event.preventDefault();
      this.#set(event.target);
    } else if (event.target.closest('[data-act="end-sessions"]')) this.#endOthers(event.target.closest("button"));
  }

  #set(form) {
    const done = this.querySelector("[data-done]");
    write(done, "");
    return sendForm(form, async (values) => {
      await post("/api/account/password", values);
      form.reset();
      this.querySelector("[data-current]").hidden = false;
      write(this.querySelector("[data-how]"), "You have one. A new one signs your other browsers out.");
      write(done, "It is set. Your other browsers are signed out.");
    });
  }

  async #endOthers(button) {
    const ended = this.querySelector("[data-ended]");
    button.disabled = true;
    try {
      await change("DELETE", "/api/account/sessions");
      write(ended, "They are signed out.");
    } catch (error) {
      write(ended, error.message);
    }
    button.disabled = false;
  }
}

customElements.define("account-password", AccountPassword);
