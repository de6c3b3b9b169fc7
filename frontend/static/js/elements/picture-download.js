/** <picture-download src="...svg" name="cells" label="PNG">: a button that makes a PNG of a picture in the browser. */

import { build, write } from "./build.js";

const SCALE = 2; // Pixels of the PNG for one of the drawing.

class PictureDownload extends HTMLElement {
  #button = build("button", { type: "button", class: "button" });
  #error = build("span", { class: "small is-error", role: "alert" });
  #clicked = () => this.#make();

  connectedCallback() {
    this.#button.textContent = this.getAttribute("label") ?? "PNG";
    this.#button.addEventListener("click", this.#clicked);
    this.append(this.#button, this.#error);
  }

  disconnectedCallback() {
    this.#button.removeEventListener("click", this.#clicked);
    this.replaceChildren();
  }

  async #make() {
    this.#button.disabled = true;
    write(this.#error, "");
    try {
      const response = await fetch(this.getAttribute("src"), { credentials: "same-origin" });
      if (!response.ok) throw new Error(`The picture could not be loaded (${response.status}).`);
      save(await png(await response.blob()), `${this.getAttribute("name")}.png`);
    } catch (error) {
      write(this.#error, error.message);
    } finally {
      this.#button.disabled = false;
    }
  }
}

/** A PNG of an SVG, both as a Blob. */
export async function png(svg) {
  const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = build("canvas", { width: image.naturalWidth * SCALE, height: image.naturalHeight * SCALE });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((done) => canvas.toBlob(done, "image/png"));
  } finally {
    URL.revokeObjectURL(address);
  }
}

export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  build("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

customElements.define("picture-download", PictureDownload);
