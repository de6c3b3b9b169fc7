/** <download-menu>: the table of children, files that a search has made, and the best architecture in every form. */

import { get } from "../api.js";
import { bytes } from "../drawing/format.js";
import { searchPaths } from "../live/paths.js";
import { build } from "./build.js";

class DownloadMenu extends HTMLElement {
  #key = null;
  #files = build("div", { class: "menu-files" }); // Asked for when the menu is opened: they change while one looks.
  #page = null;
  #menu = build("div", { class: "menu-list" });
  #details = build("details", { class: "menu" }, build("summary", { class: "button" }, "Download"), this.#menu);
  #closed = (event) => {
    const leaves = event.type === "keydown" ? event.key === "Escape" : !this.contains(event.target);
    if (!leaves || !this.#details.open) return;
    if (event.type === "keydown") this.#details.firstChild.focus();
    this.#details.open = false;
  };

  connectedCallback() {
    this.append(this.#details);
    this.#details.addEventListener("toggle", () => this.#details.open && this.#page?.method && this.#askForFiles());
    document.addEventListener("click", this.#closed);
    document.addEventListener("keydown", this.#closed);
  }

  disconnectedCallback() {
    document.removeEventListener("click", this.#closed);
    document.removeEventListener("keydown", this.#closed);
    this.replaceChildren();
  }

  async #askForFiles() {
    const { artifacts } = await get(searchPaths(this.#page.id).artifacts).catch(() => ({ artifacts: [] }));
    this.#files.replaceChildren(...artifacts.map(({ url, label, size }) =>
      build("a", { href: url, download: true }, `${label} (${bytes(size)})`)));
  }

  render(state, page) {
    this.#page = page;
    const key = state.best ? `${state.best.step}.${state.best.slot}` : "";
    if (key === this.#key) return;
    this.#key = key;
    const paths = searchPaths(page.id);
    const link = (href, text) => build("a", { href, download: true }, text);
    const entries = state.shared ? [link(paths.table, "All candidates (CSV)"), this.#files]
      : [link(paths.table, "All children (CSV)"), link(paths.curve, "Curve of rewards (HTML)")];
    entries.push(link(paths.changes, "Changed limits, for the terminal (JSON)"));
    if (state.best) {
      const file = (name) => paths.file(state.best.step, state.best.slot, name);
      entries.push(
        build("p", { class: "small quiet" }, `Best architecture, ${state.shared ? "candidate" : "child"} ${key}`),
        link(file("architecture.json"), "architecture.json"),
        build("a", { href: paths.child(state.best.step, state.best.slot) }, "Other dialects, on its page"),
        link(file("picture.svg"), "Picture (SVG)"),
        build("picture-download", { src: file("picture.svg"), name: `child-${key}`, label: "Picture (PNG)" }));
    }
    this.#menu.replaceChildren(...entries);
  }
}

customElements.define("download-menu", DownloadMenu);
