/**
 * <data-upload data-most-bytes="..." data-piece-bytes="...">: sends a zip in pieces, or with data-kind="text" the files of
 * a text one after another, shows how far it is, and leads to the page on which it is checked. A piece that fails on the
 * way is sent again.
 */

import { ApiError, change, get, post, put } from "../api.js";
import { problemOfTexts } from "../forms/text_files.js";
import { write } from "./build.js";

const TRIES = 5;
const PAUSE_BEFORE_TRYING = 1000; // Milliseconds.

class DataUpload extends HTMLElement {
  #sending = null; // An AbortController while an archive is on its way.
  #id = null;

  connectedCallback() {
    this.addEventListener("change", this);
    this.addEventListener("click", this);
  }

  disconnectedCallback() {
    this.removeEventListener("change", this);
    this.removeEventListener("click", this);
    this.#sending?.abort();
  }

  handleEvent(event) {
    if (event.type === "change") this.#begin([...event.target.files]);
    else if (event.target.closest('[data-act="give-up"]')) this.#giveUp();
  }

  async #begin(files) {
    if (!files.length) return;
    this.#say("");
    const whole = new Blob(files); // Nothing is read before it is sent.
    const problem = this.#problem(files, whole.size);
    if (problem) {
      this.#say(problem);
      this.#end();
      return;
    }
    this.#sending = new AbortController();
    this.#show(0, whole.size);
    try {
      const { id } = await this.#announce(files);
      this.#id = id;
      await this.#send(whole, id);
      location.assign(`/data/${id}`);
    } catch (error) {
      if (error.name !== "AbortError") this.#say(error.message);
      this.#end();
    }
  }

  /** What can be said without asking, as a sentence; "" where nothing is wrong. */
  #problem(files, size) {
    const most = Number(this.dataset.mostBytes);
    if (size > most) {
      const what = files.length > 1 ? "The files have" : "The file has";
      return `${what} ${megabytes(size)}; at most ${megabytes(most)}.`;
    }
    return this.#isText ? problemOfTexts(files.map((file) => file.name)) : "";
  }

  #announce(files) {
    const told = files.map((file) => ({ filename: file.name, size: file.size }));
    return this.#isText ? post("/api/data/texts", { files: told }) : post("/api/data/uploads", told[0]);
  }

  get #isText() {
    return this.dataset.kind === "text";
  }

  async #send(file, id) {
    const size = Number(this.dataset.pieceBytes);
    for (let offset = 0, tries = 0; offset < file.size; ) {
      try {
        const piece = file.slice(offset, offset + size);
        const answer = await put(`/api/data/uploads/${id}?offset=${offset}`, piece, { signal: this.#sending.signal });
        [offset, tries] = [answer.received, 0];
      } catch (error) {
        tries += 1;
        const isPassing = error instanceof ApiError && (error.status === 0 || error.status >= 500);
        if (!isPassing || tries === TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_BEFORE_TRYING));
        // The piece may have arrived although its answer did not.
        offset = (await get(`/api/data/${id}`).catch(() => ({ received: offset }))).received;
      }
      this.#show(offset, file.size);
    }
  }

  async #giveUp() {
    this.#sending?.abort();
    if (this.#id) await change("DELETE", `/api/data/${this.#id}`).catch((error) => this.#say(error.message));
  }

  #show(done, all) {
    this.querySelector("[data-progress]").hidden = false;
    this.querySelector("input").disabled = true;
    this.querySelector("progress").value = done / all;
    write(this.querySelector("[data-said]"), `${megabytes(done)} of ${megabytes(all)} sent`);
  }

  #end() {
    this.#sending = null;
    this.querySelector("[data-progress]").hidden = true;
    this.querySelector("input").disabled = false;
    this.querySelector("input").value = "";
  }

  #say(sentence) {
    write(this.querySelector("[data-problem]"), sentence);
  }
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toLocaleString("en", { maximumFractionDigits: bytes < 1e7 ? 1 : 0 })} MB`;
}

customElements.define("data-upload", DataUpload);
