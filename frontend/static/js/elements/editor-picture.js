/**
 * Pictures whose parts can be clicked on, gone to with the arrow keys, opened with Enter, and marked as changed.
 * A part is an element with data-place; lines are for the mouse alone, since the box that they lead to offers the same.
 */

import { writeAttribute } from "./build.js";
import { renew } from "./renew.js";

const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const ASIDE = 2.5; // How much further away a part seems that lies aside of the way.

export class EditorPicture {
  #root;
  #open;
  #at = null; // The place of the part that Tab leads to.
  #drawn = new Map(); // By the name of a piece: what stands on the page, as it was before anything was marked in it.

  /** open(place, part): a part was chosen; null where a picture is only looked at. */
  constructor(root, open, signal) {
    this.#root = root;
    this.#open = open;
    if (!open) return;
    root.addEventListener("click", (event) => this.#click(event), { signal });
    root.addEventListener("keydown", (event) => this.#key(event), { signal });
    root.addEventListener("focusin", (event) => this.#arrived(event.target.closest("g[data-place]")), { signal });
  }

  /** pieces: [{name, svg}] to draw, null where they are drawn already. changed: places, or what begins with them. */
  show(pieces, changed) {
    const had = this.#root.contains(document.activeElement) ? this.#at : null;
    if (this.#open && !pieces) this.#take();
    for (const { name, svg } of pieces ?? []) {
      const drawn = prepared(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement);
      renew(this.#piece(name), this.#drawn.get(name), drawn);
      this.#drawn.set(name, drawn);
    }
    if (this.#open) this.#tabTo((this.#at && this.part(this.#at)) ?? this.#parts[0]);
    for (const part of this.#root.querySelectorAll("[data-place]")) {
      const isChanged = changed.some((place) => place && isOf(part.dataset.place, place));
      part.classList.toggle("is-changed", isChanged);
    }
    if (had) this.part(had)?.focus({ preventScroll: true });
  }

  /** The part that stands for a place; a line's where there is no box. */
  part(place) {
    const chosen = `[data-place="${CSS.escape(place)}"]`;
    return this.#root.querySelector(`g${chosen}`) ?? this.#root.querySelector(chosen);
  }

  get #parts() {
    return [...this.#root.querySelectorAll("g[data-place]")];
  }

  #piece(name) {
    return this.#root.querySelector(`[data-piece="${name}"] > svg`);
  }

  /** The server has drawn the pieces into the page. */
  #take() {
    for (const { dataset } of this.#root.querySelectorAll("[data-piece]")) {
      this.#drawn.set(dataset.piece, prepared(this.#piece(dataset.piece)).cloneNode(true));
    }
  }

  #tabTo(part) {
    for (const other of this.#parts) writeAttribute(other, "tabindex", other === part ? "0" : "-1");
  }

  #click(event) {
    const part = event.target.closest("[data-place]");
    if (part) this.#open(part.dataset.place, part);
  }

  #arrived(part) {
    if (!part) return;
    this.#at = part.dataset.place;
    this.#tabTo(part);
  }

  #key(event) {
    const part = event.target.closest("g[data-place]");
    if (!part || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") this.#open(part.dataset.place, part);
    else if (KEYS[event.key]) nearest(this.#parts, part, KEYS[event.key])?.focus();
    else return;
    event.preventDefault();
  }
}

/** A drawing whose parts are buttons, each line with a wider one that can be hit. */
function prepared(svg) {
  svg.setAttribute("role", "group");
  for (const line of svg.querySelectorAll("path[data-place]")) {
    line.setAttribute("aria-hidden", "true");
    if (!line.classList.contains("drawing-skip")) line.after(reachOf(line)); // Skips overlap, as there may be 2,000.
  }
  for (const part of svg.querySelectorAll("g[data-place]")) {
    part.setAttribute("role", "button");
    part.setAttribute("aria-haspopup", "dialog");
    part.setAttribute("tabindex", "-1");
  }
  return svg;
}

/** Whether a place is this one, or a part of it: what is new or gone has one place for all of its parts. */
function isOf(place, whole) {
  return place === whole || place.startsWith(`${whole}.`);
}

/** A line that cannot be seen and is wide enough to be hit. */
function reachOf(line) {
  const reach = line.cloneNode(false);
  reach.setAttribute("class", "editor-reach");
  reach.removeAttribute("stroke-dasharray");
  return reach;
}

/** The part nearest in a direction, [x, y] of which one is 0; none where nothing lies there. */
function nearest(parts, from, [x, y]) {
  const [atX, atY] = middleOf(from);
  let best = null;
  let least = Infinity;
  for (const part of parts) {
    const [toX, toY] = middleOf(part);
    const ahead = (toX - atX) * x + (toY - atY) * y;
    const aside = Math.abs((toX - atX) * y) + Math.abs((toY - atY) * x);
    if (part === from || ahead < 2) continue;
    const distance = ahead + ASIDE * aside;
    if (distance < least) [best, least] = [part, distance];
  }
  return best;
}

function middleOf(part) {
  const { left, top, width, height } = part.getBoundingClientRect();
  return [left + width / 2, top + height / 2];
}
