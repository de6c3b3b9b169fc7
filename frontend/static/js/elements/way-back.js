/** <way-back>: hands in the secret behind the # of a one-time sign-in link, when it is pressed. It leaves the address. */

import { post } from "../api.js";
import { write } from "./build.js";

class WayBack extends HTMLElement {
  #secret = location.hash.slice(1);

  connectedCallback() {
    history.replaceState(null, "", location.pathname); // Neither history nor a bookmark keeps it.
    this.addEventListener("click", this);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this);
  }

  async handleEvent(event) {
    const button = event.target.closest("[data-act]");
    if (!button) return;
    button.disabled = true;
    try {
      const { url } = await post("/sign-in/once/open", { secret: this.#secret });
      location.assign(url);
    } catch (error) {
      write(this.querySelector("[data-problem]"), error.message);
      button.disabled = false;
    }
  }
}

customElements.define("way-back", WayBack);
