/**
 * <ticked-rows>: what is ticked in the list, on this page and on those that were looked at before in this tab, and what
 * can be done with all of it at once: compare, archive, delete.
 */

import { build, write } from "./build.js";
import { streamOf } from "./stream-labels.js";

class TickedRows extends HTMLElement {
  #ticked = new Map(); // By id: {id, kind, role, name}.

  connectedCallback() {
    for (const stream of kept(this.#key)) this.#ticked.set(stream.id, stream);
    for (const box of this.#boxes) box.checked = this.#ticked.has(box.value);
    this.#list.addEventListener("change", this);
    this.#list.addEventListener("deleted", this);
    this.addEventListener("click", this);
    this.addEventListener("submit", this);
    this.#show();
  }

  disconnectedCallback() {
    this.#list.removeEventListener("change", this);
    this.#list.removeEventListener("deleted", this);
    this.removeEventListener("click", this);
    this.removeEventListener("submit", this);
  }

  handleEvent(event) {
    const action = event.target.closest("[data-act]")?.dataset.act;
    if (event.type === "change") this.#change(event.target);
    else if (event.type === "deleted") this.#untick(event.detail);
    else if (event.type === "submit") this.#addOtherPages(event.target);
    else if (action === "untick") this.#untick([...this.#ticked.keys()]);
    else if (action === "archive-ticked") this.#archive();
    else if (action === "delete-ticked") this.#list.querySelector("stream-deletion").ask([...this.#ticked.values()]);
  }

  get #key() {
    return `ticked by ${this.dataset.user}`; // Another person may sign in here later.
  }

  get #list() {
    return this.closest("stream-labels");
  }

  get #boxes() {
    return [...this.#list.querySelectorAll('.entry:not([hidden]) input[name="streams"]')];
  }

  #change(box) {
    if (box.matches("[data-all]")) for (const each of this.#boxes) each.checked = box.checked;
    for (const each of this.#boxes) {
      if (each.checked) this.#ticked.set(each.value, streamOf(each.closest("[data-id]")));
      else this.#ticked.delete(each.value);
    }
    this.#show();
  }

  async #archive() {
    const wanted = this.#list.dataset.archived !== "yes";
    await this.#list.archive([...this.#ticked.values()], wanted);
    this.#untick([...this.#ticked.keys()]);
  }

  #untick(ids) {
    for (const id of ids) this.#ticked.delete(id);
    for (const box of this.#list.querySelectorAll('input[name="streams"]')) box.checked = this.#ticked.has(box.value);
    this.#show();
  }

  /** The comparison takes boxes of this page by themselves. */
  #addOtherPages(form) {
    const here = new Set(this.#boxes.map(({ value }) => value));
    for (const field of form.querySelectorAll("[type=hidden]")) field.remove();
    for (const id of this.#ticked.keys()) {
      if (!here.has(id)) form.append(build("input", { type: "hidden", name: "streams", value: id }));
    }
  }

  #show() {
    const count = this.#ticked.size;
    const here = this.#boxes.filter(({ checked }) => checked).length;
    sessionStorage.setItem(this.#key, JSON.stringify([...this.#ticked.values()]));
    const elsewhere = count > here ? `, ${count - here} of them on other pages` : "";
    write(this.querySelector("[data-count]"), count ? `${count} ticked${elsewhere}` : "Nothing is ticked");
    this.toggleAttribute("data-any", count > 0);
    const all = this.querySelector("[data-all]");
    all.checked = here > 0 && here === this.#boxes.length;
    all.indeterminate = here > 0 && !all.checked;
    const isNone = (allowed) => ![...this.#ticked.values()].some(({ role }) => allowed.includes(role));
    this.querySelector('[data-act="archive-ticked"]').disabled = isNone(["owner", "co-owner"]);
    this.querySelector('[data-act="delete-ticked"]').disabled = isNone(["owner"]);
    this.querySelector('[data-act="untick"]').hidden = count === 0;
  }
}

function kept(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key)) ?? [];
  } catch {
    return []; // Somebody else wrote there.
  }
}

customElements.define("ticked-rows", TickedRows);
