/**
 * The menu of a part: what may stand there, and why not. It stands beside the part, on a phone at the foot of the page.
 * Arrow keys go through it, Escape closes it, and so does a click elsewhere.
 */

import { build } from "./build.js";

const GAP = 8; // Pixels between a part and its menu, and between the menu and the window's edge.
let opened = 0; // So that every menu's reasons have identifiers of their own.

/** part(): the element it stands beside; choose({place, choice}), or choose(null) where that stands there already. */
export function openMenu({ title, part, choose, closed }) {
  return new EditorMenu(title, part, choose, closed);
}

class EditorMenu {
  place = "";
  staysOpen = false;
  #part;
  #choose;
  #closed;
  #listening = new AbortController();
  #body = build("div", { class: "editor-menu-body" }, build("p", { class: "quiet small" }, "…"));
  #box;
  #number = (opened += 1);

  constructor(title, part, choose, closed) {
    this.#part = part;
    this.#choose = choose;
    this.#closed = closed;
    const close = build("button", { class: "editor-menu-close", type: "button", "aria-label": "Close" }, "×");
    this.#box = build("div", { class: "editor-menu", role: "dialog", "aria-label": title ?? "Change", tabindex: -1 }, close, this.#body);
    const { signal } = this.#listening;
    close.addEventListener("click", () => this.close(), { signal });
    this.#box.addEventListener("click", (event) => this.#click(event.target.closest("[data-choice]")), { signal });
    this.#box.addEventListener("keydown", (event) => this.#key(event), { signal });
    document.addEventListener("pointerdown", (event) => this.#elsewhere(event), { signal, capture: true });
    for (const moved of ["scroll", "resize"]) addEventListener(moved, () => this.#stand(), { signal, capture: true, passive: true });
    document.body.append(this.#box);
    if (getComputedStyle(this.#box).bottom === "0px") part()?.scrollIntoView({ block: "start", inline: "nearest" });
    this.#stand();
    this.#box.focus({ preventScroll: true });
  }

  fill(menus, problem) {
    const focused = this.#box.querySelector(":focus")?.dataset.key;
    const parts = menus.map((menu, at) => section(menu, `editor-menu-${this.#number}-${at}`));
    this.#body.replaceChildren(...(problem ? [build("p", { class: "is-error" }, problem)] : []), ...parts);
    this.#box.classList.remove("is-waiting");
    this.#stand();
    const again = [...this.#items].find((item) => item.dataset.key === focused);
    (again ?? this.#box.querySelector('[aria-pressed="true"]') ?? this.#items[0])?.focus({ preventScroll: true });
  }

  /** An edit is on its way. */
  wait() {
    this.#box.classList.add("is-waiting");
  }

  close() {
    if (!this.#box.isConnected) return;
    const hadFocus = this.#box.contains(document.activeElement) || document.activeElement === document.body;
    this.#listening.abort();
    this.#box.remove();
    this.#closed(hadFocus);
  }

  get #items() {
    return this.#box.querySelectorAll("[data-choice]");
  }

  #elsewhere({ target }) {
    if (this.#box.contains(target)) return;
    if (target.closest?.("[data-edited] [data-place]")) return; // That opens the next one.
    this.close();
  }

  #click(item) {
    if (!item || item.getAttribute("aria-disabled") === "true" || this.#box.classList.contains("is-waiting")) return;
    const { place, choice, stays } = item.dataset;
    this.staysOpen = stays !== undefined;
    const isThere = item.getAttribute("aria-pressed") === "true" && !this.staysOpen;
    this.#choose(isThere ? null : { place, choice });
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const items = [...this.#items];
    if (event.key === "Escape") this.close();
    else if (event.key === "Tab") this.#round(event);
    else if (step && items.length) {
      const at = items.indexOf(document.activeElement);
      items[(at + step + items.length) % items.length].focus();
    } else if (event.key === "Home") items[0]?.focus();
    else if (event.key === "End") items.at(-1)?.focus();
    else return;
    if (event.key !== "Tab") event.preventDefault();
    event.stopPropagation();
  }

  /** Tab stays inside, as in any dialog. */
  #round(event) {
    const all = [...this.#box.querySelectorAll("button")];
    const [first, last] = [all[0], all.at(-1)];
    const isAtEnd = event.shiftKey ? [first, this.#box].includes(document.activeElement) : document.activeElement === last;
    if (!isAtEnd) return;
    event.preventDefault();
    (event.shiftKey ? last : first).focus();
  }

  /** Right of the part, else left of it, always inside the window; the style sheet decides whether that counts. */
  #stand() {
    const part = this.#part();
    if (!part) return;
    const at = part.getBoundingClientRect();
    const { width, height } = this.#box.getBoundingClientRect();
    const { clientWidth, clientHeight } = document.documentElement;
    const right = at.right + GAP;
    const x = right + width + GAP <= clientWidth ? right : at.left - GAP - width;
    const y = Math.min(Math.max(at.top - GAP, GAP), clientHeight - height - GAP);
    this.#box.style.setProperty("--x", `${Math.round(Math.min(Math.max(x, GAP), clientWidth - width - GAP))}px`);
    this.#box.style.setProperty("--y", `${Math.round(Math.max(y, GAP))}px`);
  }
}

function section(menu, name) {
  const items = menu.options.map((option, at) => item(menu, option, `${name}-${at}`));
  return build("section", { role: "group", "aria-labelledby": name },
    build("h3", { id: name }, menu.title),
    build("div", { class: "editor-options" }, ...items.flat()),
    menu.note ? build("p", { class: "small quiet" }, menu.note) : null);
}

/** An option and, where it may not stand there, the reason beside it. */
function item(menu, option, name) {
  const reason = option.refusal ? build("p", { class: "small quiet editor-reason", id: name }, option.refusal) : null;
  const button = build("button", {
    class: menu.takes_several ? "editor-option is-tick" : "editor-option",
    type: "button",
    "data-place": menu.place,
    "data-choice": option.choice,
    "data-key": `${menu.place}:${option.choice}`,
    "data-stays": menu.takes_several,
    "aria-pressed": menu.is_command ? null : String(option.is_chosen),
    "aria-disabled": option.refusal ? "true" : null,
    "aria-describedby": reason ? name : null,
  }, option.title);
  return reason ? [build("div", { class: "editor-refused" }, button, reason)] : [button];
}
