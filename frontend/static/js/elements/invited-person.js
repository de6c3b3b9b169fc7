/** <invited-person>: hands in the secret behind the # of an invitation, and makes the user. It leaves the address. */

import { post } from "../api.js";
import { write } from "./build.js";
import { sendForm } from "./sent-form.js";

class InvitedPerson extends HTMLElement {
  #secret = location.hash.slice(1);

  async connectedCallback() {
    history.replaceState(null, "", location.pathname); // Neither history nor a bookmark keeps it.
    this.addEventListener("submit", this);
    try {
      const { invited_by: by, is_admin: isAdmin } = await post("/invited/look", { secret: this.#secret });
      write(this.querySelector("[data-said]"), `${by} invites you to use Cellwright here${isAdmin ? ", as an administrator" : ""}.`);
      this.querySelector("form").hidden = false;
      this.querySelector("input").focus();
    } catch (error) {
      write(this.querySelector("[data-said]"), error.message);
    }
  }

  disconnectedCallback() {
    this.removeEventListener("submit", this);
  }

  handleEvent(event) {
    event.preventDefault();
    sendForm(event.target, async (values) => {
      const { url } = await post("/invited/accept", { ...values, secret: this.#secret });
      location.assign(url);
    });
  }
}

customElements.define("invited-person", InvitedPerson);
