/** <people-list data-you="ID">: everybody, with what they use; a dialog changes one person. For administrators. */

import { change, get, post } from "../api.js";
import { dated } from "../drawing/replay_words.js";
import { usageRows, withoutEmpty } from "../forms/quotas.js";
import { build, write } from "./build.js";
import { fillFields, showErrors } from "./form-fields.js";
import { sendForm } from "./sent-form.js";
import "./shown-once.js";

const PAGE = 50;

class PeopleList extends HTMLElement {
  #people = [];
  #chosen = null;
  #offset = 0;

  connectedCallback() {
    this.addEventListener("submit", this);
    this.addEventListener("click", this);
    this.#dialog.addEventListener("close", this);
    this.#look();
  }

  disconnectedCallback() {
    this.removeEventListener("submit", this);
    this.#dialog.removeEventListener("close", this);
    this.removeEventListener("click", this);
  }

  get #dialog() {
    return this.querySelector("dialog");
  }

  get #form() {
    return this.querySelector("form");
  }

  handleEvent(event) {
    const button = event.target.closest("[data-act]");
    const acts = {
      choose: () => this.#choose(button.dataset.person), close: () => this.#dialog.close(),
      "way-back": () => this.#wayBack(), deactivate: () => this.#change({ is_active: false }),
      reactivate: () => this.#change({ is_active: true }), before: () => this.#turn(-PAGE), after: () => this.#turn(PAGE),
    };
    if (event.type === "close") this.querySelector(`[data-person="${this.#chosen.id}"]`)?.focus(); // Its row is new.
    else if (event.type === "submit") {
      event.preventDefault();
      this.#save();
    } else if (button) acts[button.dataset.act]();
  }

  async #look() {
    try {
      const { people, total } = await get(`/api/people?limit=${PAGE}&offset=${this.#offset}`);
      this.#people = people;
      write(this.querySelector("[data-said]"), total === 1 ? "You are the only one so far. Invite somebody below." : `${total} people.`);
      this.querySelector("[data-pages]").hidden = total <= PAGE;
      this.querySelector('[data-act="before"]').disabled = this.#offset === 0;
      this.querySelector('[data-act="after"]').disabled = this.#offset + PAGE >= total;
      this.querySelector("[data-people]").replaceChildren(...people.map((person) => rowOf(person, this.dataset.you)));
    } catch (error) {
      write(this.querySelector("[data-said]"), error.message);
    }
  }

  #turn(by) {
    this.#offset = Math.max(0, this.#offset + by);
    return this.#look();
  }

  #choose(id) {
    this.#chosen = this.#people.find((person) => person.id === id);
    this.querySelector("[data-made]").hidden = true;
    this.#tell();
    fillFields(this.#form, this.#chosen);
    showErrors(this.#form, []);
    write(this.querySelector("[data-problem]"), "");
    this.#dialog.showModal();
  }

  #tell() {
    const { name, is_active: isActive, has_password: hasPassword } = this.#chosen;
    write(this.querySelector("[data-title]"), name);
    write(this.querySelector("[data-state]"), isActive ? (hasPassword ? "Signs in by password or link." : "Has no password, and signs in by links.") : "Is deactivated.");
    this.querySelector('[data-act="way-back"]').hidden = !isActive;
    this.querySelector('[data-act="deactivate"]').hidden = !isActive;
    this.querySelector('[data-act="reactivate"]').hidden = isActive;
    this.querySelector("[data-deactivating]").hidden = !isActive;
  }

  async #save() {
    const isDone = await sendForm(this.#form, (values) => this.#patch(withoutEmpty(values)));
    if (isDone) this.#dialog.close();
  }

  async #patch(wanted) {
    this.#chosen = await change("PATCH", `/api/people/${this.#chosen.id}`, wanted);
    await this.#look();
  }

  #change(wanted) {
    return this.#safely(async () => {
      await this.#patch(wanted);
      this.querySelector("[data-made]").hidden = true;
      this.#tell();
    });
  }

  #wayBack() {
    return this.#safely(async () => {
      const { path } = await post(`/api/people/${this.#chosen.id}/sign-in-link`);
      this.querySelector("[data-made]").hidden = false;
      const shown = this.querySelector("shown-once");
      shown.show(`${location.origin}${path}`);
      shown.querySelector("button").focus();
    });
  }

  async #safely(act) {
    write(this.querySelector("[data-problem]"), "");
    try {
      await act();
    } catch (error) {
      write(this.querySelector("[data-problem]"), error.message);
    }
  }
}

function rowOf(person, you) {
  const { id, name, is_admin: isAdmin, is_active: isActive, last_sign_in: last } = person;
  const marks = [person.id === you && "you", isAdmin && "administrator", !isActive && "deactivated"].filter(Boolean);
  return build("li", { class: isActive ? "people-row is-person" : "people-row is-person is-out" },
    build("div", {}, build("b", { class: "person-name" }, name), ...marks.map((mark) => build("span", { class: "scope small" }, mark)),
      build("span", { class: "small quiet person-seen" }, last === null ? "never signed in" : `signed in ${dated(last)}`)),
    build("dl", { class: "person-use small" }, ...usageRows(person).map(({ title, words, share }) => build("div", share === 1 ? { class: "is-full" } : {},
      build("dt", { class: "quiet" }, title), build("dd", { class: "number" }, words)))),
    build("button", { class: "button", type: "button", "data-act": "choose", "data-person": id, "aria-label": `Change ${name}` }, "Change"));
}

customElements.define("people-list", PeopleList);
