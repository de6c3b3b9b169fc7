/**
 * <architecture-editor>: an architecture that is changed in its picture. Edits stand in the address, so that reload,
 * back and forward keep them; what was undone stands in the history's state. JSON inside: #start {query, title,
 * architecture, reply}: how the address names the original, the original, and the API's answer to the address.
 */

import { post } from "../api.js";
import { write } from "./build.js";
import { openMenu } from "./editor-menu.js";
import { EditorPicture } from "./editor-picture.js";
import { keepForm } from "./editor-keep.js";
import { showResults } from "./editor-results.js";
import { EditorSearches } from "./editor-searches.js";

class ArchitectureEditor extends HTMLElement {
  #start = null;
  #reply = null; // Of what is shown.
  #wanted = []; // The edits that were asked for last; those of #reply once it has come.
  #undone = []; // Edits to do again, the last undone last; with #wanted.
  #undoneThen = []; // With #reply.
  #asking = null;
  #menu = null;
  #picture = null;
  #original = null;
  #keep = null;
  #searches = null;
  #listening = null;

  connectedCallback() {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    this.#start = JSON.parse(this.querySelector("#start").textContent);
    this.#picture = new EditorPicture(this.querySelector("[data-edited]"), (place, part) => this.#offer(place, part), signal);
    this.#original = new EditorPicture(this.querySelector("[data-original]"), null, signal);
    this.#keep = keepForm(this, signal);
    this.#searches = new EditorSearches(this.querySelector("[data-takers]"), signal);
    this.#undone = this.#undoneThen = history.state?.undone ?? [];
    this.#wanted = this.#start.reply.edits;
    this.#show(this.#start.reply, { isDrawn: true });
    this.addEventListener("click", (event) => this.#act(event.target.closest("[data-act]")?.dataset.act), { signal });
    this.addEventListener("network-counted", () => this.#go(this.#wanted, this.#undone, "stay"), { signal });
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    addEventListener("popstate", () => this.#go(editsOf(location), history.state?.undone ?? [], "stay"), { signal });
  }

  disconnectedCallback() {
    this.#listening.abort();
    this.#asking?.abort();
    this.#menu?.close();
  }

  #act(name) {
    if (name === "undo" && this.#wanted.length) {
      this.#go(this.#wanted.slice(0, -1), [...this.#undone, this.#wanted.at(-1)]);
    } else if (name === "redo" && this.#undone.length) {
      this.#go([...this.#wanted, this.#undone.at(-1)], this.#undone.slice(0, -1));
    } else if (name === "reset" && this.#wanted.length) {
      this.#go([], [...this.#undone, ...this.#wanted.toReversed()]);
    }
  }

  #key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== "z") return;
    if (event.target.closest("input, textarea, select")) return; // There it takes back what was typed.
    event.preventDefault();
    this.#act(event.shiftKey ? "redo" : "undo");
  }

  get #counting() {
    return this.querySelector("network-counts");
  }

  /** Ask what the edits make, and show it. how: "push" makes an entry of the history, "stay" does not. */
  async #go(edits, undone, how = "push") {
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    [this.#wanted, this.#undone] = [edits, undone]; // At once: who undoes quickly undoes two.
    this.#menu?.wait();
    write(this.querySelector("[data-problem]"), "");
    try {
      const body = { architecture: this.#start.architecture, edits, ...this.#counting.network };
      const reply = await post("/api/architectures/edits", body, { signal: asking.signal });
      if (reply.errors.length && how === "push") {
        this.#refuse(reply.errors[0].message);
        return;
      }
      this.#undoneThen = undone;
      this.#wanted = reply.edits;
      if (how === "push") history.pushState({ undone }, "", addressOf(this.#start.query, edits));
      this.#show(reply);
    } catch (error) {
      if (error.name !== "AbortError") this.#refuse(error.message);
    }
  }

  /** What is shown stays; the sentence says why. */
  #refuse(sentence) {
    [this.#wanted, this.#undone] = [this.#reply.edits, this.#undoneThen];
    write(this.querySelector("[data-problem]"), sentence);
    this.#menu?.close();
  }

  /** isDrawn: the server has drawn the pictures into the page. */
  #show(reply, { isDrawn = false } = {}) {
    this.#reply = reply;
    const changed = reply.changes.map(({ place }) => place);
    this.#picture.show(isDrawn ? null : reply.pieces, changed);
    this.#original.show(null, reply.changes.map(({ was }) => was));
    showResults(this, reply);
    this.#keep.show(reply);
    this.#searches.show(reply);
    this.#counting.edited?.({ architecture: reply.architecture }, reply.counts);
    for (const [name, isOn] of [["undo", reply.edits.length], ["redo", this.#undone.length], ["reset", reply.edits.length]]) {
      this.querySelector(`[data-act="${name}"]`).disabled = !isOn;
    }
    write(this.querySelector("[data-problem]"), reply.errors.map(({ message }) => message).join(" "));
    this.#reopen();
    this.dispatchEvent(new CustomEvent("edited", { detail: reply.hash }));
  }

  /** Open the menu of a part beside it. */
  async #offer(place, part) {
    this.#menu?.close();
    const menu = (this.#menu = openMenu({
      title: (this.#picture.part(place) ?? part).getAttribute("aria-label"),
      part: () => this.#picture.part(place),
      choose: (edit) => this.#choose(edit),
      closed: () => {
        if (this.#menu === menu) this.#menu = null;
        this.#picture.part(place)?.focus({ preventScroll: true });
      },
    }));
    await this.#fill(menu, place);
  }

  async #fill(menu, place) {
    menu.place = place;
    try {
      const body = { architecture: this.#start.architecture, edits: this.#reply.edits, place };
      const { menus, errors } = await post("/api/architectures/edits/options", body);
      if (menu === this.#menu) menu.fill(menus, errors.map(({ message }) => message).join(" "));
    } catch (error) {
      if (menu === this.#menu) menu.fill([], error.message);
    }
  }

  /** A menu of a set stays open behind an edit, and asks how things are then once the edit is painted. */
  async #reopen() {
    const menu = this.#menu;
    if (!menu?.staysOpen || !this.#picture.part(menu.place)) {
      menu?.close();
      return;
    }
    await painted();
    if (menu === this.#menu) this.#fill(menu, menu.place);
  }

  #choose(edit) {
    if (edit) this.#go([...this.#wanted, edit], []);
    else this.#menu?.close(); // It stands there already.
  }
}

/** Once the next frame is on the screen. */
function painted() {
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}

/** The edits that an address holds: &edit=PLACE:CHOICE for each. */
function editsOf({ search }) {
  return new URLSearchParams(search).getAll("edit").map((text) => {
    const at = text.lastIndexOf(":");
    return { place: text.slice(0, at), choice: text.slice(at + 1) };
  });
}

function addressOf(query, edits) {
  const address = new URLSearchParams(query);
  for (const { place, choice } of edits) address.append("edit", `${place}:${choice}`);
  return `${location.pathname}?${address.toString().replaceAll("%3A", ":")}`;
}

customElements.define("architecture-editor", ArchitectureEditor);
