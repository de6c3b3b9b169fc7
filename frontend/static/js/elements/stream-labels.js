/**
 * <stream-labels>: what a person writes on searches and trainings inside, at its place: name, tags, notes, the archive.
 * Each is marked with data-id and data-kind and holds data-name, data-tags and data-notes, and buttons with data-act.
 * data-archived: whether the list around them shows what is archived ("no", "yes", "all").
 */

import { change } from "../api.js";
import { streamPaths } from "../live/paths.js";
import { write } from "./build.js";
import { editName, editNotes, editTags } from "./label-editors.js";

const EDITORS = { rename: editName, tags: editTags, notes: editNotes };

class StreamLabels extends HTMLElement {
  #undone = null; // What the button "Undo" does.

  connectedCallback() {
    this.addEventListener("click", this);
    this.addEventListener("keydown", this);
    this.addEventListener("deleted", this);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this);
    this.removeEventListener("keydown", this);
    this.removeEventListener("deleted", this);
  }

  handleEvent(event) {
    if (event.type === "click") this.#click(event);
    else if (event.type === "deleted") this.#markDeleted(event.detail);
    else if (event.key === "Escape") this.#closeMenus(true);
  }

  #click(event) {
    const action = event.target.closest("[data-act]")?.dataset.act;
    const row = event.target.closest("[data-id]");
    if (!event.target.closest(".entry-menu > summary")) this.#closeMenus();
    else this.#closeMenus(false, event.target.closest(".entry-menu"));
    if (row && action in EDITORS) EDITORS[action](row, (body) => change("PATCH", streamPaths(row.dataset).api, body));
    else if (row && action === "archive") this.archive([streamOf(row)], row.dataset.archived === undefined);
    else if (row && action === "delete") this.querySelector("stream-deletion").ask([streamOf(row)]);
    else if (action === "undo") this.#undo();
    else if (action === "dismiss") this.#said.hidden = true;
  }

  /** Archive these, or take them out again; what is refused stays, with a sentence. streams: [{id, kind, name}]. */
  async archive(streams, wanted, canUndo = true) {
    const done = [];
    const refused = [];
    for (const stream of streams) {
      try {
        await change("PATCH", streamPaths(stream).api, { archived: wanted });
        done.push(stream);
        this.#mark(stream, wanted);
      } catch (error) {
        refused.push(streams.length > 1 ? `${stream.name}: ${error.message}` : error.message);
      }
    }
    const what = done.length === 1 ? `“${done[0].name}”` : `${done.length} of them`;
    const told = done.length ? `${what} ${done.length === 1 ? "is" : "are"} ${wanted ? "in the archive" : "back in the list"}.` : "";
    this.#say([told, ...refused].filter(Boolean).join(" "), done.length && canUndo ? () => this.archive(done, !wanted, false) : null);
  }

  #mark({ id }, isArchived) {
    const row = this.querySelector(`[data-id="${id}"]`);
    if (!row) return; // On another page of the list.
    row.toggleAttribute("data-archived", isArchived);
    row.hidden = this.dataset.archived !== "all" && isArchived !== (this.dataset.archived === "yes");
    const button = row.querySelector('[data-act="archive"]');
    if (button) write(button, isArchived ? "Take out of the archive" : "Archive");
  }

  /** They go some seconds later; fresh-list looks for that. */
  #markDeleted(ids) {
    for (const id of ids) {
      const state = this.querySelector(`[data-id="${id}"] .state`);
      if (!state) continue;
      state.className = "state is-deleting";
      write(state, "deleting");
    }
  }

  #say(sentence, undo) {
    this.#undone = undo;
    const button = this.#said.querySelector('[data-act="undo"]');
    write(this.#said.querySelector("p"), sentence);
    button.hidden = !undo;
    this.#said.hidden = false;
    if (undo) button.focus(); // What had the focus may be gone.
  }

  #undo() {
    const undo = this.#undone;
    this.#said.hidden = true;
    undo?.();
  }

  get #said() {
    return this.querySelector("[data-said]");
  }

  #closeMenus(focuses = false, except = null) {
    for (const menu of this.querySelectorAll(".entry-menu[open]")) {
      if (menu === except) continue;
      menu.open = false;
      if (focuses) menu.querySelector("summary").focus();
    }
  }
}

/** What a line shows, for whoever acts on it. */
export function streamOf(row) {
  const { id, kind, role } = row.dataset;
  return { id, kind, role, name: row.querySelector("[data-name]").textContent };
}

customElements.define("stream-labels", StreamLabels);
