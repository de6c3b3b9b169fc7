/**
 * <method-choice>: the methods of a search as links, and the form of the one that is chosen. Another method's form is
 * fetched once and takes the place of this one, which is kept as it was filled in. data-method: of the form inside.
 */

import { write } from "./build.js";

class MethodChoice extends HTMLElement {
  #forms = new Map(); // By method: its form, with everything that was typed.
  #wanted = "";
  #clicked = (event) => {
    const link = event.target.closest("[data-choose]");
    if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.#choose(link);
  };

  connectedCallback() {
    this.addEventListener("click", this.#clicked);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this.#clicked);
  }

  get #form() {
    return this.querySelector("start-form");
  }

  async #choose(link) {
    const method = (this.#wanted = link.dataset.choose);
    if (method === this.dataset.method) return;
    this.#forms.set(this.dataset.method, this.#form);
    this.setAttribute("aria-busy", "true");
    const form = this.#forms.get(method) ?? await fetchedForm(link.href);
    if (method !== this.#wanted) return; // Another one was chosen meanwhile.
    if (!form) {
      location.assign(link.href);
      return;
    }
    this.#form.replaceWith(form);
    this.dataset.method = method;
    this.removeAttribute("aria-busy");
    for (const other of this.querySelectorAll("[data-choose]")) {
      if (other === link) other.setAttribute("aria-current", "true");
      else other.removeAttribute("aria-current");
    }
    history.replaceState(null, "", link.href);
    write(this.querySelector("[data-said]"), `These are the settings of ${link.querySelector("strong").textContent}.`);
  }
}

/** The form on another page, or null where there is none. */
async function fetchedForm(address) {
  try {
    const response = await fetch(address, { credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const form = response.ok ? page.querySelector("start-form") : null;
    return form && document.importNode(form, true);
  } catch {
    return null;
  }
}

customElements.define("method-choice", MethodChoice);
