/** <shared-door>: hands in the secret behind the # of a link, and goes to what it shows. The secret leaves the address. */

import { post } from "../api.js";
import { write } from "./build.js";

class SharedDoor extends HTMLElement {
  async connectedCallback() {
    const secret = location.hash.slice(1);
    history.replaceState(null, "", location.pathname); // Neither history nor a bookmark keeps it.
    try {
      const { url } = await post("/shared/open", { secret });
      location.replace(url);
    } catch (error) {
      write(this, error.message);
    }
  }
}

customElements.define("shared-door", SharedDoor);
