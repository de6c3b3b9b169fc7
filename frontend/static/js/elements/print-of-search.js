/** <print-of-search>: the search's fingerprint so far. */

import { write } from "./build.js";

class PrintOfSearch extends HTMLElement {
  render(state) {
    write(this, state.fingerprint || "after the first step");
  }
}

customElements.define("print-of-search", PrintOfSearch);
