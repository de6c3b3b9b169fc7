/** <notice-settings>: where a person is told when something ends, and what they were told. Its parts are in notices.html. */

import { change, get, post } from "../api.js";
import { clock } from "../drawing/format.js";
import { askSoon, browserTarget, forgetBrowser, keepBrowser, mayNotify } from "../live/browser_notices.js";
import { build, write } from "./build.js";
import { WhileSeen } from "./while-seen.js";

const REFRESH_MS = 5000; // While the page is looked at: what became of a test is seen without a reload.
const KINDS = { browser: "Browser", email: "E-mail", webhook: "Webhook" };
const STATES = { due: "waits", sending: "is being sent", sent: "sent", failed: "was not delivered" };

class NoticeSettings extends HTMLElement {
  #topics = {};
  #shown = ""; // The targets, as they were drawn: they are drawn anew only when they change.
  #whileSeen = new WhileSeen((signal) => this.#ask(signal), { pause: REFRESH_MS });

  connectedCallback() {
    this.#topics = JSON.parse(document.getElementById("notice-topics").textContent);
    this.addEventListener("click", this);
    this.addEventListener("submit", this);
    this.addEventListener("change", this);
    this.#whileSeen.start(this);
  }

  disconnectedCallback() {
    this.#whileSeen.stop();
    for (const kind of ["click", "submit", "change"]) this.removeEventListener(kind, this);
  }

  async handleEvent(event) {
    const { target } = event;
    if (event.type === "submit") {
      event.preventDefault();
      await this.#do("[data-problem]", () => this.#addWebhook(target));
    } else if (event.type === "change" && target.dataset.topic) {
      await this.#do("[data-target-problem]", () => this.#changeTopics(target.closest("[data-target]")));
    } else if (event.type === "click" && target.closest("button")) {
      await this.#press(target.closest("button"));
    }
  }

  async #press(button) {
    const { id } = button.closest("[data-target]")?.dataset ?? {};
    if ("addBrowser" in button.dataset) await this.#do("[data-target-problem]", () => this.#addBrowser());
    else if ("addEmail" in button.dataset) await this.#do("[data-target-problem]", () => this.#add({ kind: "email" }));
    else if ("copy" in button.dataset) await navigator.clipboard?.writeText(this.querySelector("[data-secret-text]").textContent);
    else if ("test" in button.dataset) {
      await this.#do("[data-target-problem]", () => post(`/api/notices/targets/${id}/test`));
      askSoon();
    }
    if ("renew" in button.dataset) {
      await this.#do("[data-target-problem]", async () => this.#showSecret(await post(`/api/notices/targets/${id}/secret`)));
    } else if ("remove" in button.dataset) {
      await this.#do("[data-target-problem]", () => change("DELETE", `/api/notices/targets/${id}`));
    }
  }

  /** Do something, say what went wrong at its place, and ask how things are now. */
  async #do(place, act) {
    this.#whileSeen.drop();
    try {
      await act();
      write(this.querySelector(place), "");
    } catch (error) {
      const [first] = error.errors ?? [];
      write(this.querySelector(place), first?.field === "url" ? `The address ${first.message}` : error.message);
    }
    this.#whileSeen.hurry();
  }

  async #add(body) {
    return await post("/api/notices/targets", body);
  }

  async #addWebhook(form) {
    this.#showSecret(await this.#add({ kind: "webhook", url: form.elements.url.value.trim() }));
    form.reset();
  }

  /** The one place where permission is asked, and only because a person pressed the button. */
  async #addBrowser() {
    if (await Notification.requestPermission() !== "granted") {
      throw new Error("The browser was not allowed to show notices. You can allow it in its settings for this site.");
    }
    keepBrowser((await this.#add({ kind: "browser", label: browserName() })).id);
  }

  async #changeTopics(entry) {
    const topics = [...entry.querySelectorAll("[data-topic]:checked")].map((box) => box.dataset.topic);
    if (!topics.length) throw new Error("Leave one of them ticked, or remove the target.");
    await change("PATCH", `/api/notices/targets/${entry.dataset.id}`, { topics });
  }

  #showSecret({ secret }) {
    write(this.querySelector("[data-secret-text]"), secret);
    this.querySelector("[data-secret]").hidden = false;
  }

  async #ask(signal) {
    try {
      const told = await get("/api/notices", { signal });
      this.#drawChoices(told);
      this.#drawTargets(told.targets);
      this.#drawNotices(told);
    } catch (error) {
      if (!signal.aborted) write(this.querySelector("[data-target-problem]"), error.message);
    }
  }

  #drawChoices({ targets, sends_mail: sendsMail, email }) {
    const own = browserTarget();
    if (own && !targets.some(({ id }) => id === own)) forgetBrowser(); // It was removed, here or elsewhere.
    const isOn = browserTarget() !== null && mayNotify();
    write(this.querySelector("[data-browser-state]"), browserState(isOn));
    this.querySelector("[data-add-browser]").hidden = isOn || !canNotify();
    const isMailed = targets.some(({ kind }) => kind === "email");
    write(this.querySelector("[data-email-state]"), emailState(sendsMail, email, isMailed));
    this.querySelector("[data-add-email]").hidden = !sendsMail || !email || isMailed;
  }

  #drawTargets(targets) {
    this.querySelector("[data-no-targets]").hidden = targets.length > 0;
    if (JSON.stringify(targets) === this.#shown) return;
    this.#shown = JSON.stringify(targets);
    this.querySelector("[data-targets]").replaceChildren(...targets.map((target) => targetEntry(target, this.#topics)));
  }

  #drawNotices({ notices, targets }) {
    this.querySelector("[data-no-notices]").hidden = notices.length > 0;
    const names = new Map(targets.map((target) => [target.id, nameOf(target)]));
    this.querySelector("[data-notices]").replaceChildren(...notices.map((notice) => noticeEntry(notice, names)));
  }
}

function canNotify() {
  return "Notification" in window && window.isSecureContext;
}

function browserState(isOn) {
  if (!canNotify()) return "This browser shows notices only to sites over https, or on this machine itself.";
  if (isOn) return "This browser shows notices.";
  return Notification.permission === "denied" ? "You told this browser not to show notices of this site." : "";
}

function emailState(sendsMail, email, isMailed) {
  if (!sendsMail) return "This server sends no mail. Whoever runs it can set CELLWRIGHT_MAIL and CELLWRIGHT_MAIL_FROM.";
  if (!email) return "Write your address on your account page first.";
  return isMailed ? `Mails go to ${email}.` : `Mails would go to ${email}.`;
}

/** As people know it; no more than that is kept. */
function browserName() {
  const name = ["Firefox", "Edg", "Chrome", "Safari"].find((each) => navigator.userAgent.includes(each)) ?? "Browser";
  return name === "Edg" ? "Edge" : name;
}

function nameOf({ kind, label, url }) {
  return [KINDS[kind], url || label].filter(Boolean).join(": ");
}

function targetEntry(target, topics) {
  const boxes = Object.entries(topics).map(([topic, words]) => build("label", {},
    build("input", { type: "checkbox", "data-topic": topic, checked: target.topics.includes(topic) }), words));
  const here = target.id === browserTarget() ? " (this one)" : "";
  const button = (what, text) => build("button", { class: "button", type: "button", [`data-${what}`]: true,
    "aria-label": `${text}: ${nameOf(target)}` }, text);
  return build("li", { "data-target": true, "data-id": target.id },
    build("span", { class: "notice-name" }, nameOf(target) + here),
    build("div", { class: "notice-topics", role: "group", "aria-label": "Told when something" }, ...boxes),
    build("div", { class: "notice-line" }, button("test", "Send a test"),
      target.kind === "webhook" ? button("renew", "New secret") : null, button("remove", "Remove")));
}

function noticeEntry({ title, text, path, at, kind, deliveries }, names) {
  const head = kind === "test" ? title : build("a", { href: path }, title);
  const said = deliveries.map(({ target, state, error, next_try: next }) => build("li", { class: "small" },
    [names.get(target) ?? "A target", ": ", STATES[state], error ? `. ${error}` : "",
      next && error ? ` The next try is at ${clock(next)}.` : ""].join("")));
  return build("li", {}, build("div", {}, head, " ", build("span", { class: "quiet small" }, new Date(at * 1000).toLocaleString("en-GB"))),
    text && kind !== "test" ? build("p", { class: "small" }, text) : null, build("ul", { class: "notice-deliveries" }, ...said));
}

customElements.define("notice-settings", NoticeSettings);
