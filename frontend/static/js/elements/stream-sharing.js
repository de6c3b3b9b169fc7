/**
 * <stream-sharing>: links that show this page to people without an account. A new one is shown once; those that stand
 * are listed with when they were made, and can be revoked. Its dialog is in templates/parts/stream_sharing.html.
 */

import { change, get, post } from "../api.js";
import { dated } from "../drawing/replay_words.js";
import { streamPaths } from "../live/paths.js";
import { build, write } from "./build.js";

class StreamSharing extends HTMLElement {
  #page = null;

  connectedCallback() {
    this.addEventListener("click", this);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this);
  }

  render(state, page) {
    this.#page = page;
  }

  handleEvent(event) {
    const button = event.target.closest("[data-act]");
    const acts = {
      open: () => this.#open(), close: () => this.querySelector("dialog").close(), make: () => this.#make(),
      copy: () => this.#copy(), revoke: () => this.#revoke(button.dataset.link),
    };
    if (button) this.#safely(acts[button.dataset.act]);
  }

  async #safely(act) {
    write(this.querySelector("[data-problem]"), "");
    try {
      await act();
    } catch (error) {
      write(this.querySelector("[data-problem]"), error.message);
    }
  }

  get #path() {
    return streamPaths(this.#page).links;
  }

  async #open() {
    this.querySelector("[data-made]").hidden = true;
    this.querySelector("dialog").showModal();
    this.#list(await get(this.#path));
  }

  async #make() {
    const days = this.querySelector("[data-days]").value;
    const { path } = await post(this.#path, { days: days ? Number(days) : null });
    const field = this.querySelector("[data-link]");
    field.value = `${location.origin}${path}`;
    this.querySelector("[data-made]").hidden = false;
    write(this.querySelector('[data-act="copy"]'), "Copy");
    field.focus();
    field.select();
    this.#list(await get(this.#path));
  }

  /** Without https a page may have no clipboard; the link is selected then, for the keys to copy. */
  async #copy() {
    const field = this.querySelector("[data-link]");
    field.select();
    await navigator.clipboard?.writeText(field.value);
    if (navigator.clipboard) write(this.querySelector('[data-act="copy"]'), "Copied");
  }

  async #revoke(link) {
    this.#list(await change("DELETE", `${this.#path}/${link}`));
  }

  #list({ links }) {
    this.querySelector("[data-none]").hidden = links.length > 0;
    this.querySelector("[data-links]").replaceChildren(...links.map(({ id, created, expires }) => build("li", {},
      build("span", { class: "small number" }, `made ${dated(created)}`, build("br"), ends(expires)),
      build("button", { class: "button", type: "button", "data-act": "revoke", "data-link": id,
        "aria-label": `Revoke the link that was made ${dated(created)}` }, "Revoke"))));
  }
}

function ends(expires) {
  if (expires === null) return "until revoked";
  return `${expires * 1000 < Date.now() ? "expired" : "expires"} ${dated(expires)}`;
}

customElements.define("stream-sharing", StreamSharing);
