/**
 * A form that is sent by its script: it says what is wrong at its fields before and after asking, and keeps its button
 * from being pressed twice. send(values) asks; what it throws is told. Returns whether it went well.
 */

import { typed } from "../forms/values.js";
import { write } from "./build.js";
import { emptyError, readFields, showErrors } from "./form-fields.js";

export async function sendForm(form, send) {
  const problem = form.querySelector("[data-problem]");
  write(problem, "");
  const wrong = [...[...form.querySelectorAll("[data-empty]")].flatMap(emptyError),
    ...[...form.querySelectorAll("input[inputmode]")].flatMap(figureError)];
  showErrors(form, wrong);
  if (wrong.length) return toFirst(form);
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  try {
    await send(readFields(form));
    return true;
  } catch (error) {
    button.disabled = false; // Before the focus goes anywhere.
    write(problem, showErrors(form, error.errors ?? [{ field: "", message: error.message }]).join(" "));
    return toFirst(form);
  } finally {
    button.disabled = false;
  }
}

/** The error of a field for a figure that holds none, or none; it may be empty. Told before asking, as emptyError is. */
function figureError(field) {
  const value = typed(field.dataset.kind, field.value);
  const isWhole = field.dataset.kind === "integer";
  if (value === "" || (typeof value === "number" && value >= 0 && (!isWhole || Number.isInteger(value)))) return [];
  const wanted = `must be a ${isWhole ? "whole " : ""}number from 0, or empty for no limit.`;
  return [{ field: field.dataset.path, message: `is ${JSON.stringify(field.value)}; ${wanted}` }];
}

function toFirst(form) {
  form.querySelector('[aria-invalid="true"]')?.focus();
  return false;
}
