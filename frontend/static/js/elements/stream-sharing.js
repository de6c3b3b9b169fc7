/**
 * <stream-sharing>: persons who have an account and may see this page or change what is on it, and links for people
 * without one. A new link is shown once; those that stand are listed with when they were made, and can be revoked. Its
 * dialog is in templates/parts/stream_sharing.html.
 */

import { change, get, post } from "../api.js";
import { dated } from "../drawing/replay_words.js";
import { streamPaths } from "../live/paths.js";
import { build, write } from "./build.js";

class StreamSharing extends HTMLElement {
  #page = null;

  connectedCallback() {
    this.addEventListener("click", this);
    this.addEventListener("submit", this);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this);
    this.removeEventListener("submit", this);
  }

  render(state, page) {
    this.#page = page;
  }

  handleEvent(event) {
    if (event.type === "submit") {
      event.preventDefault();
      this.#safely(() => this.#share(event.target), "[data-person-problem]");
      return;
    }
    const button = event.target.closest("[data-act]");
    const acts = {
      open: () => this.#open(), close: () => this.querySelector("dialog").close(), make: () => this.#make(),
      copy: () => this.#copy(), revoke: () => this.#revoke(button.dataset.link),
      unshare: () => this.#unshare(button.dataset.person),
    };
    const place = button?.dataset.act === "unshare" ? "[data-person-problem]" : "[data-problem]";
    if (button) this.#safely(acts[button.dataset.act], place);
  }

  /** place: where it is told what went wrong. */
  async #safely(act, place) {
    write(this.querySelector(place), "");
    try {
      await act();
    } catch (error) {
      write(this.querySelector(place), error.message);
    }
  }

  get #path() {
    return streamPaths(this.#page).links;
  }

  get #shares() {
    return streamPaths(this.#page).shares;
  }

  async #open() {
    this.querySelector("[data-made]").hidden = true;
    this.querySelector("dialog").showModal();
    const [persons, links] = await Promise.all([get(this.#shares), get(this.#path)]);
    this.#listPersons(persons);
    this.#list(links);
  }

  async #share(form) {
    const { user, role } = Object.fromEntries(new FormData(form));
    this.#listPersons(await change("PUT", this.#shares, { user: user.trim(), role }));
    form.elements.user.value = "";
  }

  async #unshare(person) {
    this.#listPersons(await change("DELETE", `${this.#shares}/${encodeURIComponent(person)}`));
  }

  #listPersons({ shares }) {
    this.querySelector("[data-nobody]").hidden = shares.length > 0;
    this.querySelector("[data-persons]").replaceChildren(...shares.map(({ user, role, created }) => build("li", {},
      build("span", {}, user, build("span", { class: "small quiet" }, ` ${role}, since ${dated(created)}`)),
      build("button", { class: "button", type: "button", "data-act": "unshare", "data-person": user,
        "aria-label": `No longer share with ${user}` }, "Remove"))));
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
