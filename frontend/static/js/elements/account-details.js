/** <account-details>: changes one's name and e-mail. */

import { change } from "../api.js";
import { write } from "./build.js";
import { sendForm } from "./sent-form.js";

class AccountDetails extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", this);
  }

  disconnectedCallback() {
    this.removeEventListener("submit", this);
  }

  async handleEvent(event) {
    event.preventDefault();
    const done = this.querySelector("[data-done]");
    write(done, "");
    await sendForm(event.target, async (values) => {
      const { name } = await change("PATCH", "/api/account", values);
      write(document.querySelector("[data-user-name]"), name);
      write(done, "Saved.");
    });
  }
}

customElements.define("account-details", AccountDetails);
