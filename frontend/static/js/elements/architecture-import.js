/**
 * <architecture-import data-most-bundle-bytes="...">: reads what is pasted, or a file that is chosen or dropped, while
 * one looks, draws it, and keeps it when asked. A file whose name ends in .zip is a bundle: an architecture with its
 * weights. What was typed stays whatever goes wrong.
 */

import { newKey, post, postForm } from "../api.js";
import { build, write } from "./build.js";
import { emptyError, sentence, showErrors } from "./form-fields.js";

const PAUSE_BEFORE_READING = 200; // Milliseconds without a change.
const MOST_FILE_BYTES = 100_000; // As the API reads; a larger file is not even opened.
const LONGEST_GIVEN = 24_000; // Characters of an architecture in an address, as the editor reads it.
const NAME_IN_TEXT = /^\s*([A-Za-z]\w*)\s*=/; // As in "DARTS_V2 = Genotype(...)".

class ArchitectureImport extends HTMLElement {
  #timer = 0;
  #asking = null;
  #listening = null;
  #key = newKey();
  #isNamed = false; // The name was typed by hand.
  #bundle = null; // The file, where it is a bundle that is looked at and not the text.

  connectedCallback() {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    this.#part("text").addEventListener("input", () => this.#leaveBundle(), { signal });
    this.#part("text").addEventListener("input", () => this.#readSoon(), { signal });
    this.#part("dialect").addEventListener("input", () => this.#read(), { signal });
    this.#part("name").addEventListener("input", () => (this.#isNamed = true), { signal });
    this.#part("bundle").addEventListener("change", (event) => this.#open(event.target.files[0]), { signal });
    this.addEventListener("dragover", (event) => event.preventDefault(), { signal }); // Else the browser leaves the page.
    this.addEventListener("drop", (event) => this.#drop(event), { signal });
    this.querySelector("form").addEventListener("submit", (event) => this.#keep(event), { signal });
    addEventListener("pageshow", () => this.#part("text").value && this.#read(), { signal });
  }

  disconnectedCallback() {
    this.#listening.abort();
    this.#asking?.abort();
    clearTimeout(this.#timer);
  }

  #part(path) {
    return this.querySelector(`[data-path="${path}"]`);
  }

  get #text() {
    const dialect = this.#part("dialect").value;
    return { text: this.#part("text").value, dialect: dialect === "" ? null : dialect };
  }

  #drop(event) {
    const [file] = event.dataTransfer.files;
    if (!file) return; // A text that is dropped into the field.
    event.preventDefault();
    this.#part("bundle").value = "";
    this.#open(file);
  }

  async #open(file) {
    if (!file) return;
    if (file.name.toLowerCase().endsWith(".zip")) {
      this.#openBundle(file);
      return;
    }
    if (file.size > MOST_FILE_BYTES) {
      const found = `The file has ${file.size.toLocaleString("en")} bytes; it can have ${MOST_FILE_BYTES.toLocaleString("en")}.`;
      showErrors(this, [{ field: "text", message: found }]);
      return;
    }
    this.#part("text").value = await file.text();
    this.#bundle = null;
    this.#read();
  }

  #openBundle(file) {
    const most = Number(this.dataset.mostBundleBytes);
    this.#part("text").value = "";
    this.#bundle = file;
    if (file.size <= most) {
      this.#read();
      return;
    }
    const found = `has ${file.size.toLocaleString("en")} bytes; must have at most ${most.toLocaleString("en")}.`;
    this.#show({ errors: [{ field: "bundle", message: found }] });
  }

  #leaveBundle() {
    this.#bundle = null;
    this.#part("bundle").value = "";
  }

  #readSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#read(), PAUSE_BEFORE_READING);
  }

  async #read() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#key = newKey(); // What is kept now is something else.
    if (!this.#bundle && !this.#part("text").value.trim()) {
      this.#show(null);
      return;
    }
    const asking = (this.#asking = new AbortController());
    try {
      this.#show(await this.#ask(asking.signal));
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#show(null);
      write(this.querySelector("[data-problem]"), error.message);
    }
  }

  #ask(signal) {
    if (!this.#bundle) return post("/api/architectures/read", this.#text, { signal });
    this.#show(null);
    write(this.querySelector("[data-found]"), `Reading ${this.#bundle.name}.`);
    return postForm("/api/architectures/bundles/read", formOf({ bundle: this.#bundle }), { signal });
  }

  /** found: the answer of the API; null where there is neither text nor bundle. */
  #show(found) {
    write(this.querySelector("[data-problem]"), "");
    const elsewhere = showErrors(this, found?.errors ?? []);
    const isRead = found !== null && found.errors.length === 0;
    this.querySelector('button[type="submit"]').disabled = !isRead;
    showEditing(this.querySelector("[data-edit]"), isRead ? found.architecture : null);
    this.querySelector("[data-found]").replaceChildren(...words(found, isRead, elsewhere));
    this.querySelector("[data-remarks]").replaceChildren(...(found?.remarks ?? []).map((text) => build("li", {}, text)));
    this.querySelector("[data-picture]").replaceChildren(...(isRead ? [drawing(found.svg)] : []));
    if (isRead && !this.#isNamed) this.#part("name").value = suggestedName(this.#part("text").value, found);
    this.querySelector("[data-dialect]").hidden = this.#bundle !== null; // A bundle has but one.
  }

  async #keep(event) {
    event.preventDefault();
    const missing = emptyError(this.#part("name"));
    if (missing.length) {
      showErrors(this, missing);
      this.#part("name").focus();
      return;
    }
    const button = this.querySelector('button[type="submit"]');
    button.disabled = true;
    const name = this.#part("name").value;
    try {
      const { url } = this.#bundle
        ? await postForm("/api/architectures/bundles", formOf({ bundle: this.#bundle, name }))
        : await post("/api/architectures", { ...this.#text, name }, { key: this.#key });
      location.assign(url);
    } catch (error) {
      button.disabled = false;
      this.#key = newKey();
      const elsewhere = showErrors(this, error.errors ?? []);
      write(this.querySelector("[data-problem]"), elsewhere.map(sentence).join(" "));
      this.querySelector('[aria-invalid="true"]')?.focus();
    }
  }
}

function words(found, isRead, elsewhere) {
  if (found === null) return ["Nothing yet."];
  if (!isRead) return [elsewhere.map(sentence).join(" ") || "It cannot be read as it stands."];
  if (found.sentences) return [`Read as a bundle: ${insideSentence(found.kind_title)}, with weights. ${found.sentences.join(" ")}`];
  const told = [`Read as ${found.dialect_title}: ${insideSentence(found.kind_title)}.`];
  if (!found.there) return told;
  const whose = found.there.id ? " You keep it already, as " : " It is published, as ";
  return [...told, whose, build("a", { href: found.there.url }, found.there.title), "."];
}

/** "Cells for images" within a sentence; "NAS-Bench-201 cell" is a name and stays. */
function insideSentence(title) {
  return /^[A-Z][a-z]/.test(title) ? title.charAt(0).toLowerCase() + title.slice(1) : title;
}

/** The link to the editor, which needs nothing kept; null: there is nothing to edit, or too much for an address. */
function showEditing(link, architecture) {
  const given = architecture ? encoded(JSON.stringify(architecture)) : "";
  link.hidden = !given || given.length > LONGEST_GIVEN;
  link.href = `/architectures/edit?given=${given}`;
}

/** JSON of plain letters in the alphabet of base64 for addresses. */
function encoded(text) {
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function formOf(values) {
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) form.append(name, value);
  return form;
}

function drawing(svg) {
  return document.adoptNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement);
}

function suggestedName(text, found) {
  if (found.recorded) return found.recorded.name;
  return found.there?.title ?? NAME_IN_TEXT.exec(text)?.[1].replaceAll("_", " ") ?? "";
}

customElements.define("architecture-import", ArchitectureImport);
