/**
 * <architecture-import>: reads what is pasted while one looks, draws it, and keeps it when asked. What was typed stays
 * whatever goes wrong.
 */

import { newKey, post } from "../api.js";
import { build, write } from "./build.js";
import { emptyError, sentence, showErrors } from "./form-fields.js";

const PAUSE_BEFORE_READING = 200; // Milliseconds without a change.
const MOST_FILE_BYTES = 100_000; // As the API reads; a larger file is not even opened.
const NAME_IN_TEXT = /^\s*([A-Za-z]\w*)\s*=/; // As in "DARTS_V2 = Genotype(...)".

class ArchitectureImport extends HTMLElement {
  #timer = 0;
  #asking = null;
  #listening = null;
  #key = newKey();
  #isNamed = false; // The name was typed by hand.

  connectedCallback() {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    this.#part("text").addEventListener("input", () => this.#readSoon(), { signal });
    this.#part("dialect").addEventListener("input", () => this.#read(), { signal });
    this.#part("name").addEventListener("input", () => (this.#isNamed = true), { signal });
    this.querySelector("#import-file").addEventListener("change", (event) => this.#open(event.target), { signal });
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

  async #open(input) {
    const [file] = input.files;
    if (!file) return;
    if (file.size > MOST_FILE_BYTES) {
      const found = `The file has ${file.size.toLocaleString("en")} bytes; it can have ${MOST_FILE_BYTES.toLocaleString("en")}.`;
      showErrors(this, [{ field: "text", message: found }]);
      return;
    }
    this.#part("text").value = await file.text();
    this.#read();
  }

  #readSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#read(), PAUSE_BEFORE_READING);
  }

  async #read() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#key = newKey(); // What is kept now is something else.
    if (!this.#part("text").value.trim()) {
      this.#show(null);
      return;
    }
    const asking = (this.#asking = new AbortController());
    try {
      this.#show(await post("/api/architectures/read", this.#text, { signal: asking.signal }));
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#show(null);
      write(this.querySelector("[data-problem]"), error.message);
    }
  }

  /** found: the answer of the API; null where there is no text. */
  #show(found) {
    write(this.querySelector("[data-problem]"), "");
    const elsewhere = showErrors(this, found?.errors ?? []);
    const isRead = found !== null && found.errors.length === 0;
    this.querySelector('button[type="submit"]').disabled = !isRead;
    this.querySelector("[data-found]").replaceChildren(...words(found, isRead, elsewhere));
    this.querySelector("[data-remarks]").replaceChildren(...(found?.remarks ?? []).map((text) => build("li", {}, text)));
    this.querySelector("[data-picture]").replaceChildren(...(isRead ? [drawing(found.svg)] : []));
    if (isRead && !this.#isNamed) this.#part("name").value = suggestedName(this.#part("text").value, found);
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
    try {
      const body = { ...this.#text, name: this.#part("name").value };
      const { url } = await post("/api/architectures", body, { key: this.#key });
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
  const told = [`Read as ${found.dialect_title}: ${insideSentence(found.kind_title)}.`];
  if (!found.there) return told;
  const whose = found.there.id ? " You keep it already, as " : " It is published, as ";
  return [...told, whose, build("a", { href: found.there.url }, found.there.title), "."];
}

/** "Cells for images" within a sentence; "NAS-Bench-201 cell" is a name and stays. */
function insideSentence(title) {
  return /^[A-Z][a-z]/.test(title) ? title.charAt(0).toLowerCase() + title.slice(1) : title;
}

function drawing(svg) {
  return document.adoptNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement);
}

function suggestedName(text, found) {
  return found.there?.title ?? NAME_IN_TEXT.exec(text)?.[1].replaceAll("_", " ") ?? "";
}

customElements.define("architecture-import", ArchitectureImport);
