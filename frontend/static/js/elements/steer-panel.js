/**
 * <steer-panel>: what is banned in a search and since when; while it runs, options are banned, pinned and taken back
 * here, for all decisions of a kind at once. What is sent shows when its event comes; what is refused is said at its kind.
 * Single decisions are steered in the map of the policy, and what is banned there stands here as well.
 */

import { newKey, post } from "../api.js";
import { shortOption } from "../drawing/option_names.js";
import {
  bannedAt, bansInWords, canSteer, kindsOf, namedBans, pinned, problemsInWords, toggled, whenInWords,
} from "../drawing/steer_words.js";
import { searchPaths } from "../live/paths.js";
import { build, write } from "./build.js";

class SteerPanel extends HTMLElement {
  #when = build("p", { class: "quiet small" });
  #kinds = build("div", { class: "steer-kinds" });
  #named = build("ul", { class: "steer-named" });
  #problem = build("p", { class: "small is-error", role: "alert" });
  #rows = []; // [{where, options, said, problem, chips: [{option, ban, only}]}]
  #state = null;
  #page = null;

  connectedCallback() {
    this.append(this.#when, this.#kinds, this.#problem, this.#named);
    this.addEventListener("click", this);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this);
    this.replaceChildren();
  }

  render(state, page) {
    this.#state = state;
    this.#page = page;
    if (!this.#rows.length && state.decisions.length) this.#lay(state);
    const isOpen = canSteer(state) && !page.only_looks;
    write(this.#when, page.only_looks && !page.is_replay ? "" : this.#whenOrThen());
    for (const row of this.#rows) this.#show(row, isOpen);
    this.#showNamed(isOpen);
  }

  handleEvent({ target }) {
    const button = target.closest("button[data-where]");
    if (!button) return;
    const { where, option, act } = button.dataset;
    const row = this.#rows.find((each) => each.where === where);
    const bans = act === "back" ? { [where]: [] } : act === "only" ? pinned(where, row.options, option) : toggled(this.#state, where, option);
    this.#send(bans, row?.problem ?? this.#problem);
  }

  async #send(bans, problem) {
    write(problem, "");
    try {
      await post(`${searchPaths(this.#page.id).api}/steer`, { bans }, { key: newKey() });
    } catch (error) {
      write(problem, problemsInWords(error.errors));
    }
  }

  #whenOrThen() {
    return this.#page.is_replay ? "" : whenInWords(this.#state);
  }

  #lay({ decisions }) {
    this.#rows = kindsOf(decisions).filter(({ options }) => options.length > 1).map(({ where, title, options }) => {
      const chips = options.map((option) => ({
        option,
        ban: build("button", { type: "button", class: "steer-ban", "data-where": where, "data-option": option, "data-act": "ban", title: `Ban ${option}, or take that back` }, shortOption(option)),
        only: build("button", { type: "button", class: "steer-only", "data-where": where, "data-option": option, "data-act": "only", "aria-label": `Only ${shortOption(option)}` }, "only"),
      }));
      const free = build("button", { type: "button", class: "button is-quiet steer-free", "data-where": where, "data-act": "back", hidden: true }, "All back");
      const said = build("span", { class: "small steer-said" });
      const problem = build("p", { class: "small is-error", role: "alert" });
      const list = build("ul", { class: "steer-chips" }, ...chips.map(({ ban, only }) => build("li", {}, ban, only)));
      this.#kinds.append(build("section", { "aria-label": title }, build("h3", {}, title, " ", said, free), list, problem));
      return { where, options, said, problem, free, chips };
    });
  }

  #show({ where, said, free, chips }, isOpen) {
    const banned = bannedAt(this.#state, where);
    write(said, bansInWords(this.#state, where));
    free.hidden = !isOpen || !banned.length;
    for (const { option, ban, only } of chips) {
      ban.setAttribute("aria-pressed", String(banned.includes(option)));
      ban.disabled = !isOpen;
      only.hidden = !isOpen;
    }
  }

  #showNamed(isOpen) {
    const named = namedBans(this.#state);
    const key = JSON.stringify([named, this.#state.bans, isOpen, this.#state.policy?.step]);
    if (this.#named.dataset.key === key) return;
    const hadFocus = this.#named.contains(document.activeElement);
    this.#named.dataset.key = key;
    this.#named.replaceChildren(...named.map(({ where }) => build("li", {}, build("strong", {}, where), ` ${bansInWords(this.#state, where)} `,
      isOpen ? build("button", { type: "button", class: "button is-quiet", "data-where": where, "data-act": "back" }, "Take back") : null)));
    if (hadFocus) this.#named.querySelector("button")?.focus();
  }
}

customElements.define("steer-panel", SteerPanel);
