/** The fields of a form that the configuration models describe (parts/field.html): read, fill, hide, say what is wrong. */

import { nested, shown, typed, valueAt } from "../forms/values.js";

/** What the form holds, as the API wants it. Fields of a choice that is not made are not sent. */
export function readFields(root) {
  const sent = fieldsOf(root).filter((field) => !field.closest("[data-belongs-to][hidden]"));
  return nested(sent.map((field) => [field.dataset.path, read(field)]));
}

/** Write a configuration into the fields that it has values for. */
export function fillFields(root, config) {
  for (const field of fieldsOf(root)) {
    const value = valueAt(config, field.dataset.path);
    if (value !== undefined) write(field, value);
  }
}

/** The value of the field of a path, as it is sent. */
export function fieldValue(root, path) {
  return read(root.querySelector(`[data-path="${path}"]`));
}

/** Whether the fields that a configuration has values for say the same. */
export function holdsValues(root, config) {
  return fieldsOf(root).every((field) => {
    const value = valueAt(config, field.dataset.path);
    return value === undefined || JSON.stringify(read(field)) === JSON.stringify(value);
  });
}

/** Fields of a choice that is not made are hidden. */
export function showBelonging(root) {
  for (const field of root.querySelectorAll("[data-belongs-to]")) {
    const chosen = String(read(root.querySelector(`[data-path="${field.dataset.chooser}"]`)));
    field.hidden = !field.dataset.belongsTo.split(" ").includes(chosen);
  }
}

/** Says each error at its field and returns those that belong to no field. */
export function showErrors(root, errors) {
  for (const field of fieldsOf(root)) {
    field.removeAttribute("aria-invalid");
    errorLine(root, field)?.replaceChildren();
  }
  const elsewhere = [];
  for (const { field: path, message } of errors) {
    const field = fieldOf(root, path);
    if (!field) {
      elsewhere.push(path ? `${path} ${message}` : message);
      continue;
    }
    field.setAttribute("aria-invalid", "true");
    errorLine(root, field).textContent = sentence(message);
    const folded = field.closest("details");
    if (folded) folded.open = true;
  }
  return elsewhere;
}

/** The error of a field that must not be empty, or none: told before asking, because a refusal stands in the console. */
export function emptyError(field) {
  return field.value.trim() ? [] : [{ field: field.dataset.path, message: field.dataset.empty }];
}

/** "is 7; must be even." as it stands below a field; the place in a text, as "normal.0:", is written as it is. */
export function sentence(message) {
  return /^[^ ]+( \d+)?:/.test(message) ? message : message.charAt(0).toUpperCase() + message.slice(1);
}

function fieldsOf(root) {
  return [...root.querySelectorAll("[data-path]")];
}

/** An error may name a part of a field's value, as in "space.operations.3". */
function fieldOf(root, path) {
  return fieldsOf(root).find(({ dataset }) => dataset.path === path || path.startsWith(`${dataset.path}.`));
}

function errorLine(root, field) {
  return root.querySelector(`#${field.id}-error`);
}

function read(field) {
  const { kind } = field.dataset;
  if (kind === "ticks") return [...field.querySelectorAll("input:checked")].map((input) => input.value);
  if (kind === "cards") return field.querySelector("input:checked")?.value ?? "";
  return kind === "boolean" ? field.checked : typed(kind, field.value);
}

function write(field, value) {
  const { kind } = field.dataset;
  if (kind === "ticks") for (const input of field.querySelectorAll("input")) input.checked = value.includes(input.value);
  else if (kind === "cards") for (const input of field.querySelectorAll("input")) input.checked = input.value === value;
  else if (kind === "boolean") field.checked = value;
  else field.value = shown(value);
}
