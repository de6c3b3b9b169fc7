/** Bans, pins and takes back one option of one decision, where the map of the policy shows the children that took it. */

import { newKey, post } from "../api.js";
import { bannedAt, canSteer, kindOf, pinned, problemsInWords, toggled, whenInWords } from "../drawing/steer_words.js";
import { searchPaths } from "../live/paths.js";
import { build, write } from "./build.js";

export class OptionSteering {
  #ban = build("button", { type: "button", class: "button" }, "Ban here");
  #only = build("button", { type: "button", class: "button" }, "Only this here");
  #said = build("span", { class: "small quiet" });
  #problem = build("p", { class: "small is-error", role: "alert" });
  #cell = null;
  #option = "";
  #state = null;
  #page = null;

  constructor() {
    this.node = build("div", { class: "option-steering" }, this.#ban, this.#only, this.#said, this.#problem);
    this.#ban.addEventListener("click", () => this.#send(toggled(this.#state, this.#cell.name, this.#option)));
    this.#only.addEventListener("click", () => this.#send(pinned(this.#cell.name, this.#options(), this.#option)));
  }

  /** cell: {decision, option, name, text}; of a skip the option is "yes", whatever its text. */
  at(cell) {
    this.#cell = cell;
    write(this.#problem, "");
    if (this.#state) this.show(this.#state, this.#page);
  }

  show(state, page) {
    this.#state = state;
    this.#page = page;
    if (!this.#cell) return;
    this.#option = this.#options()[this.#cell.option];
    const isOpen = canSteer(state) && !page.only_looks;
    const isBanned = bannedAt(state, this.#cell.name).includes(this.#option);
    const isBannedEverywhere = bannedAt(state, kindOf(this.#cell.name)).includes(this.#option);
    this.#ban.hidden = !isOpen || (isBannedEverywhere && !isBanned) || this.#options().length < 2;
    this.#only.hidden = !isOpen || isBannedEverywhere || this.#options().length < 2;
    write(this.#ban, isBanned ? "Take the ban back" : "Ban here");
    write(this.#said, isOpen ? this.#saidOf(isBanned, isBannedEverywhere) : "");
  }

  #saidOf(isBanned, isBannedEverywhere) {
    if (isBannedEverywhere) return "Banned everywhere; that is taken back under “Steer”.";
    return isBanned ? "Banned in this decision." : whenInWords(this.#state);
  }

  #options() {
    return this.#state.decisions[this.#cell.decision].options;
  }

  async #send(bans) {
    write(this.#problem, "");
    try {
      await post(`${searchPaths(this.#page.id).api}/steer`, { bans }, { key: newKey() });
    } catch (error) {
      write(this.#problem, problemsInWords(error.errors));
    }
  }
}
