/** <data-origin>: which images this was started with, where they come from and their hash; from the first event. */

import { get } from "../api.js";
import { streamPaths } from "../live/paths.js";
import { build, write } from "./build.js";

const ORIGINS = { embedded: "part of this program", local: "a file of this machine", download: "downloaded" };

class DataOrigin extends HTMLElement {
  #asked = null;

  disconnectedCallback() {
    this.#asked?.abort();
    this.#asked = null;
  }

  render(state, page) {
    if (this.#asked || state.n === 0) return;
    this.#asked = new AbortController();
    this.#ask(streamPaths(page).events, this.#asked.signal);
  }

  async #ask(path, signal) {
    try {
      const { events } = await get(`${path}?after=0&limit=1`, { signal });
      const { title, origin, licence, sha256 } = events[0].data;
      this.replaceChildren(
        `Images: ${title}, ${ORIGINS[origin] ?? origin}. Licence: ${licence}. SHA-256 `, build("code", {}, sha256));
    } catch (error) {
      if (error.name !== "AbortError") write(this, error.message);
    }
  }
}

customElements.define("data-origin", DataOrigin);
