/** Keeping an edited architecture, training it, and taking it away as a file in any dialect or as a picture. */

import { post } from "../api.js";
import { build, write } from "./build.js";
import { emptyError, sentence, showErrors } from "./form-fields.js";
import { png, save } from "./picture-download.js";

/** root: the editor. Returns {show(reply)}: what is kept and saved from now on. */
export function keepForm(root, signal) {
  const form = root.querySelector("[data-keep]");
  const files = root.querySelector("[data-files]");
  const problem = root.querySelector("[data-keep-problem]");
  let reply = null;

  async function keep() {
    const name = form.querySelector('[data-path="name"]');
    write(problem, "");
    const missing = emptyError(name);
    showErrors(form, missing);
    if (missing.length) {
      name.focus();
      return null;
    }
    try {
      return await post("/api/architectures", { ...ownText(reply), name: name.value });
    } catch (error) {
      write(problem, showErrors(form, error.errors ?? []).map(sentence).join(" "));
      return null;
    }
  }

  async function keepHere(event) {
    event.preventDefault();
    const kept = await keep();
    if (!kept) return;
    const words = kept.is_new ? "Kept: " : "You keep it already: ";
    form.querySelector("[data-kept]").replaceChildren(words, build("a", { href: kept.url }, "its page"), ".");
  }

  async function train() {
    const kept = await keep();
    if (kept) location.assign(trainingAddress(root, kept.id));
  }

  async function take(button) {
    const name = stem(form.querySelector('[data-path="name"]').value);
    if (button.dataset.file) {
      const { text, media_type: type, filename } = reply.files[Number(button.dataset.file)];
      save(new Blob([text], { type }), `${name}-${filename}`);
      return;
    }
    write(problem, "");
    try {
      const { svg } = await post("/api/architectures/read", ownText(reply));
      const picture = new Blob([svg], { type: "image/svg+xml" });
      save(button.dataset.picture === "svg" ? picture : await png(picture), `${name}.${button.dataset.picture}`);
    } catch (error) {
      write(problem, error.message);
    }
  }

  form.addEventListener("submit", keepHere, { signal });
  root.querySelector('[data-act="train"]').addEventListener("click", train, { signal });
  // The link of the counts leads to a form that knows only what is kept.
  root.addEventListener("click", (event) => {
    if (!event.target.closest("a[data-train]")) return;
    event.preventDefault();
    train();
  }, { signal });
  files.addEventListener("click", (event) => {
    const button = event.target.closest("[data-file], [data-picture]");
    if (button) take(button);
  }, { signal });

  return {
    show(next) {
      if (next.hash !== reply?.hash) form.querySelector("[data-kept]").replaceChildren();
      reply = next;
      files.replaceChildren(...next.files.map(row), pictures());
    },
  };
}

/** As it is pasted: in the dialect of this program. */
function ownText({ architecture }) {
  return { text: JSON.stringify(architecture), dialect: "json" };
}

function row({ filename, title, sentence: why }, at) {
  const button = why
    ? build("span", { class: "button is-off", "aria-disabled": "true" }, filename)
    : build("button", { class: "button", type: "button", "data-file": at }, filename);
  const words = why || `${title.charAt(0).toUpperCase()}${title.slice(1)}.`;
  return build("li", {}, button, build("span", { class: "small quiet" }, words));
}

function pictures() {
  const button = (kind) => build("button", { class: "button", type: "button", "data-picture": kind }, kind.toUpperCase());
  return build("li", { class: "exports-picture" }, button("svg"), button("png"));
}

/** The form of a training, in the size that is counted. */
function trainingAddress(root, id) {
  const link = root.querySelector("a[data-train]");
  const query = new URLSearchParams(link ? new URL(link.href).search : "");
  query.set("architecture", id);
  return `/trainings/new?${query}`;
}

function stem(name) {
  return name.replaceAll(/[^A-Za-z0-9]+/g, "-").replaceAll(/^-|-$/g, "").toLowerCase() || "architecture";
}
