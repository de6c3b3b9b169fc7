/** <workers-panel>: every worker that is there, what it does, when it was last heard, and hosts on which jobs are lost. */

import { change, get } from "../api.js";
import { clock } from "../drawing/format.js";
import { build, write } from "./build.js";
import { WhileSeen } from "./while-seen.js";

const REFRESH_MS = 5000;
const ELSEWHERE = "No worker is on this one now. They take turns, and it has its turn when one is free.";
const NOBODY = "No worker is there, so searches wait. On any machine that reaches the database and Redis, " +
  ".venv/bin/python manage.py worker starts some; on this one, make run does.";

class WorkersPanel extends HTMLElement {
  #body = build("tbody", {});
  #hosts = build("div", { class: "hosts" });
  #note = build("p", { class: "quiet small" });
  #page = null;
  #wants = false;
  #isOver = false;
  #isKnown = false; // Once a search has ended, nothing here changes for it.
  #whileSeen = new WhileSeen((signal) => this.#ask(signal), {
    pause: REFRESH_MS, isWanted: (isSeen) => isSeen && !(this.#isKnown && this.#isOver),
  });

  connectedCallback() {
    const heads = ["Worker", "Does", "Draining"].map((title) => build("th", { scope: "col" }, title));
    this.append(this.#hosts, build("div", { class: "table-frame" }, build("table", { class: "table" },
      build("thead", {}, build("tr", {}, ...heads)), this.#body)), this.#note);
    this.addEventListener("click", this);
    this.#whileSeen.start(this);
  }

  disconnectedCallback() {
    this.#whileSeen.stop();
    this.removeEventListener("click", this);
    this.replaceChildren();
  }

  /** Workers serve all searches; of this one's state it counts whether it wants any. */
  render(state, page) {
    this.#wants = state.state === "running";
    this.#isOver = state.ended_at !== null;
    this.#page = page;
  }

  /** Changes a worker or a host; an open request would bring back how it was before. */
  async handleEvent(event) {
    const button = event.target.closest("[data-address]");
    if (!button) return;
    this.#whileSeen.drop();
    this.#isKnown = false;
    button.disabled = true;
    try {
      await change("PATCH", button.dataset.address, { [button.dataset.field]: button.dataset.value === "yes" });
      this.#whileSeen.hurry();
    } catch (error) {
      button.disabled = false;
      write(this.#note, error.message);
      this.#whileSeen.plan();
    }
  }

  async #ask(signal) {
    try {
      const { workers, hosts = [], may_drain: mayDrain = true } = await get("/api/workers", { signal });
      this.#isKnown = true;
      this.#body.replaceChildren(...workers.map((worker) => rowOf(worker, this.#page, mayDrain)));
      const here = workers.filter((worker) => worker.is_here);
      const isAlone = this.#wants && here.length > 0 && !here.some(({ stream }) => stream === this.#page.id);
      this.#hosts.replaceChildren(
        ...hosts.filter((host) => host.is_set_aside || host.keeps_losing).map((host) => losing(host, mayDrain)),
        ...(mayDrain ? hostsToDrain(workers, hosts) : []));
      write(this.#note, isAlone ? ELSEWHERE : workers.length ? "" : NOBODY);
      this.dispatchEvent(new CustomEvent("workers-seen", { bubbles: true, detail: { isAlone } }));
    } catch (error) {
      if (!signal.aborted) write(this.#note, error.message);
    }
  }
}

function rowOf(worker, page, mayDrain) {
  const isOther = worker.stream_url && worker.stream !== page?.id;
  const of = isOther ? [" of ", build("a", { href: worker.stream_url }, worker.stream_name || "another one")] : [];
  const does = [worker.job ?? (worker.is_drained ? "is drained" : "waits"), ...of];
  const drain = build("button", {
    class: "button", type: "button", "data-address": `/api/workers/${encodeURIComponent(worker.name)}`,
    "data-field": "is_drained", "data-value": worker.is_drained ? "no" : "yes",
    "aria-label": worker.is_drained ? `Let ${worker.name} work again` : `Drain ${worker.name}`,
    title: worker.is_drained ? null : "It claims nothing more; what it does goes elsewhere at the end of its epoch.",
  }, worker.is_drained ? "Work again" : "Drain");
  return build("tr", {}, build("td", {}, worker.name, build("div", { class: "quiet small" }, worker.device)),
    build("td", {}, ...(worker.is_here ? does : ["gone"]),
      build("div", { class: "quiet small" }, `heard ${clock(worker.seen)}`)),
    build("td", {}, worker.is_here && mayDrain ? drain : null));
}

/** A host on which jobs keep being lost: why, and what comes of it. */
export function losing(host, mayDrain) {
  return build("p", { class: "notice is-bad" }, ...(host.is_set_aside ? setAside(host, mayDrain) : [
    `Jobs keep being lost on host ${host.name}, which goes on because no other host is sound. ${host.why}`,
  ]));
}

/** It gets no work: when it tries again, and a button for whoever knows better. */
function setAside(host, mayDrain) {
  const wait = host.seconds_until_trial > 0 ? `in ${Math.ceil(host.seconds_until_trial)} s` : "now";
  return [`Host ${host.name} is set aside. ${host.why} It tries one job ${wait}. `,
    mayDrain ? hostButton(host.name, "is_set_aside", false, "Use it again", `Use host ${host.name} again`) : ""];
}

/** One button for each host with several workers, and for each that is drained as a whole. */
function hostsToDrain(workers, hosts) {
  const drained = new Set(hosts.filter((host) => host.is_drained).map((host) => host.name));
  const counts = new Map();
  for (const { host, is_here: isHere } of workers) if (host && isHere) counts.set(host, (counts.get(host) ?? 0) + 1);
  const shown = new Set([...drained, ...[...counts].filter(([, count]) => count > 1).map(([name]) => name)]);
  return [...shown].sort().map((name) => build("p", { class: "small" }, drained.has(name)
    ? hostButton(name, "is_drained", false, `Let all of ${name} work again`)
    : hostButton(name, "is_drained", true, `Drain all of ${name}`)));
}

export function hostButton(name, field, value, text, label = null) {
  return build("button", {
    class: "button", type: "button", "data-address": `/api/workers/hosts/${encodeURIComponent(name)}`,
    "data-field": field, "data-value": value ? "yes" : "no", "aria-label": label,
  }, text);
}

customElements.define("workers-panel", WorkersPanel);
