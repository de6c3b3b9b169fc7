/**
 * <cell-picture src="...svg">: a drawing of cells. The SVG is fetched once per address, parsed and adopted, so that the
 * page's style sheet colours it and knows its --natural-height. The old picture stays until the new one is there.
 */

import { build } from "./build.js";

const MOST_KEPT = 200;
const kept = new Map(); // address -> promise of an SVG element

class CellPicture extends HTMLElement {
  static observedAttributes = ["src"];

  connectedCallback() {
    this.#show();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#show();
  }

  disconnectedCallback() {
    this.replaceChildren();
  }

  async #show() {
    const source = this.getAttribute("src");
    if (!source) {
      this.replaceChildren();
      return;
    }
    this.setAttribute("aria-busy", "true");
    let picture;
    try {
      picture = (await fetched(source)).cloneNode(true);
      picture.style.setProperty("--natural-height", `${picture.getAttribute("height")}px`);
    } catch {
      picture = build("p", { class: "quiet small" }, "The picture could not be loaded.");
    }
    if (source !== this.getAttribute("src") || !this.isConnected) return; // A newer one was asked for.
    this.replaceChildren(picture);
    this.removeAttribute("aria-busy");
  }
}

function fetched(source) {
  if (!kept.has(source)) {
    const promise = load(source);
    promise.catch(() => kept.delete(source));
    kept.set(source, promise);
    if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
  }
  return kept.get(source);
}

async function load(source) {
  const response = await fetch(source, { credentials: "same-origin" });
  if (!response.ok || !response.headers.get("Content-Type")?.startsWith("image/svg+xml")) {
    throw new Error(`${source}: ${response.status}`); // Not shown any more: a redirect to the sign-in page ends here too.
  }
  const parsed = new DOMParser().parseFromString(await response.text(), "image/svg+xml");
  if (parsed.documentElement.localName !== "svg") throw new Error(`${source}: not an SVG`);
  return document.adoptNode(parsed.documentElement);
}

customElements.define("cell-picture", CellPicture);
