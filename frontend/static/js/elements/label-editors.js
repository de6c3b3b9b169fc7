/**
 * Editors that stand in the place of a name, tags or notes while they are written. row: holds data-name, data-tags and
 * data-notes; send(body): changes what the server has and gives what it has then. Enter keeps, Escape leaves.
 */

import { get } from "../api.js";
import { build, write } from "./build.js";

export function editName(row, send) {
  const shown = row.querySelector("[data-name]");
  const field = build("input", { class: "input", maxlength: 80, "aria-label": "Name" });
  field.value = shown.dataset.name;
  edit(shown, field, async () => {
    const { name } = await send({ name: field.value.trim() });
    shown.dataset.name = name;
    write(shown, name || `${row.dataset.kind === "search" ? "Search" : "Training"} without a name`);
  });
  field.select();
}

export function editNotes(row, send) {
  const shown = row.querySelector("[data-notes]");
  const field = build("textarea", { class: "input", rows: 4, maxlength: 4000, "aria-label": "Notes" });
  field.value = shown.textContent;
  edit(shown, field, async () => write(shown, (await send({ notes: field.value.trim() })).notes));
}

/** Every tag that is added or taken away is sent at once. */
export function editTags(row, send) {
  const shown = row.querySelector("[data-tags]");
  if (shown.hidden) return;
  let tags = [...shown.querySelectorAll(".tag")].map((tag) => tag.textContent);
  const known = build("datalist", { id: `tags-${row.dataset.id}` });
  const field = build("input", { class: "input", list: known.id, maxlength: 30, placeholder: "New tag", "aria-label": "New tag" });
  const list = build("ul", { class: "tags", "aria-label": "Tags" });
  const problem = problemOf();
  const form = build("form", { class: "label-editor" }, list, field, known,
    build("button", { class: "button", type: "submit" }, "Add"),
    build("button", { class: "button is-quiet", type: "button", "data-done": true }, "Done"), problem);
  const draw = () => list.replaceChildren(...tags.map(takenAway));
  let sent = Promise.resolve(true); // One after the other: each begins with what the one before left.
  const keep = (changed) => (sent = sent.then(async () => {
    try {
      ({ tags } = await send({ tags: changed(tags) }));
    } catch (error) {
      write(problem, error.message);
      return false;
    }
    write(problem, "");
    shown.replaceChildren(...tags.map(linked));
    draw();
    return true;
  }));
  const add = async () => {
    const word = field.value.trim();
    field.value = ""; // At once, for the next word.
    if (!word || (await keep((before) => [...before, word]))) return true;
    field.value ||= word;
    return false;
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); add(); field.focus(); });
  form.addEventListener("click", async ({ target }) => {
    const without = target.closest("[data-without]")?.dataset.without;
    if (without !== undefined) { field.focus(); keep((before) => before.filter((tag) => tag !== without)); }
    if (target.closest("[data-done]") && (await add())) closed(shown, form);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closed(shown, form);
    else if (event.key === "Backspace" && field.value === "" && event.target === field) keep((before) => before.slice(0, -1));
  });
  draw();
  opened(shown, form, field);
  suggest(known);
}

function takenAway(tag) {
  return build("li", {}, build("button", { class: "tag", type: "button", "data-without": tag, "aria-label": `Take the tag ${tag} away` }, `${tag} ×`));
}

function linked(tag) {
  return build("li", {}, build("a", { class: "tag", href: `/?tag=${encodeURIComponent(tag)}` }, tag));
}

/** The tags that are there already. Without them the field takes words all the same. */
async function suggest(list) {
  const { tags } = await get("/api/streams/tags").catch(() => ({ tags: [] }));
  list.replaceChildren(...tags.map(({ tag }) => build("option", { value: tag })));
}

/** One field with "Save" and "Cancel". */
function edit(shown, field, save) {
  if (shown.hidden) return; // It is open already.
  const problem = problemOf();
  const form = build("form", { class: "label-editor" }, field,
    build("button", { class: "button is-main", type: "submit" }, "Save"),
    build("button", { class: "button is-quiet", type: "button", "data-cancel": true }, "Cancel"), problem);
  const close = () => closed(shown, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await save();
      close();
    } catch (error) {
      write(problem, error.message);
      field.setAttribute("aria-invalid", "true");
    }
  });
  form.addEventListener("click", ({ target }) => { if (target.closest("[data-cancel]")) close(); });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  opened(shown, form, field);
}

function problemOf() {
  return build("p", { class: "action-error small", role: "alert" });
}

function opened(shown, form, field) {
  shown.hidden = true;
  shown.after(form);
  field.focus();
}

/** The focus goes where it came from: to the menu of the line, or the button behind the label. */
function closed(shown, form) {
  form.remove();
  shown.hidden = false;
  shown.closest("[data-id]").querySelector(".entry-menu > summary, [data-act]")?.focus();
}
