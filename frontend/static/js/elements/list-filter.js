/**
 * <list-filter>: sends the form inside as soon as a choice is made, and leaves out of the address what says nothing. On
 * a phone a button shows the choices.
 */

const USUAL = { archived: "no", order: "newest" }; // As webapp/searches/stream_list.py has them; "" elsewhere.

class ListFilter extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", this);
    this.addEventListener("submit", this);
    this.addEventListener("click", this);
    addEventListener("pageshow", this);
  }

  disconnectedCallback() {
    this.removeEventListener("change", this);
    this.removeEventListener("submit", this);
    this.removeEventListener("click", this);
    removeEventListener("pageshow", this);
  }

  handleEvent(event) {
    const fields = this.querySelectorAll("[name]");
    if (event.type === "pageshow") { // Back from another page, which may have been kept as it was left.
      for (const field of fields) field.disabled = false;
    } else if (event.type === "submit") {
      for (const field of fields) field.disabled = field.value.trim() === (USUAL[field.name] ?? "");
    } else if (event.type === "click") {
      const button = event.target.closest('[data-act="more"]');
      button?.setAttribute("aria-expanded", String(button.getAttribute("aria-expanded") !== "true"));
    } else if (event.target.matches("select")) this.querySelector("form").requestSubmit();
  }
}

customElements.define("list-filter", ListFilter);
