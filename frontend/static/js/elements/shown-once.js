/** <shown-once data-label="..." data-lines="1">: a secret that is shown this once, to be copied. show(text) shows it. */

import { build, write } from "./build.js";

let made = 0;

class ShownOnce extends HTMLElement {
  #field = null;
  #button = build("button", { class: "button", type: "button" }, "Copy");

  connectedCallback() {
    const lines = Number(this.dataset.lines ?? 1);
    const id = `shown-once-${(made += 1)}`;
    const attributes = { class: "input", id, readonly: true, spellcheck: "false", autocomplete: "off" };
    this.#field = lines > 1 ? build("textarea", { ...attributes, rows: lines }) : build("input", attributes);
    this.#button.setAttribute("aria-label", `Copy: ${this.dataset.label}`);
    this.append(build("label", { class: "only-read", for: id }, this.dataset.label), this.#field, this.#button);
    this.#button.addEventListener("click", this);
  }

  disconnectedCallback() {
    this.#button.removeEventListener("click", this);
    this.replaceChildren();
  }

  show(text) {
    this.#field.value = text;
    write(this.#button, "Copy");
  }

  /** Without https a page may have no clipboard; the text is selected then, for the keys to copy. */
  async handleEvent() {
    this.#field.select();
    await navigator.clipboard?.writeText(this.#field.value);
    if (navigator.clipboard) write(this.#button, "Copied");
  }
}

customElements.define("shown-once", ShownOnce);
