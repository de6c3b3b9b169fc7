/**
 * <machines-board>: hosts with their workers, what each does now, who waits, and how long everything still takes. It
 * asks every five seconds and only while it is looked at, as the panel of workers on a live page does: what workers do
 * is in no stream of events.
 */

import { change, get } from "../api.js";
import { bytes, duration } from "../drawing/format.js";
import { build, write } from "./build.js";
import { WhileSeen } from "./while-seen.js";
import { hostButton, losing } from "./workers-panel.js";

const REFRESH_MS = 5000;
const HERE = "No worker is there, so searches wait. On this machine, make run starts some. On any machine that reaches "
  + "the database and Redis, this does:";
const COMMAND = ".venv/bin/python manage.py worker --processes 4";

class MachinesBoard extends HTMLElement {
  #note = build("p", { class: "field-error", role: "alert" });
  #hosts = build("div", { class: "machines" });
  #pressed = null;
  #waiting = section("Who waits", "machines-waiting");
  #left = section("Time left", "machines-left");
  #whileSeen = new WhileSeen((signal) => this.#ask(signal), {
    pause: REFRESH_MS, isWanted: (isSeen) => isSeen && !document.hidden,
  });
  #plan = () => this.#whileSeen.plan();

  connectedCallback() {
    this.append(this.#note, this.#hosts, this.#waiting.node, this.#left.node);
    this.addEventListener("click", this);
    document.addEventListener("visibilitychange", this.#plan);
    this.#whileSeen.start(this);
  }

  disconnectedCallback() {
    this.#whileSeen.stop();
    document.removeEventListener("visibilitychange", this.#plan);
    this.removeEventListener("click", this);
    this.replaceChildren();
  }

  async handleEvent(event) {
    const button = event.target.closest("[data-address]");
    if (!button) return;
    this.#whileSeen.drop();
    this.#pressed = button.dataset.address; // A button that cannot be pressed loses the focus.
    button.disabled = true;
    let problem = "";
    try {
      await change("PATCH", button.dataset.address, { [button.dataset.field]: button.dataset.value === "yes" });
    } catch (error) {
      problem = error.message;
    }
    write(this.#note, problem);
    this.#whileSeen.hurry();
  }

  async #ask(signal) {
    let told;
    try {
      told = await get("/api/workers", { signal });
    } catch (error) {
      if (!signal.aborted) write(this.#note, error.message);
      return;
    }
    const focused = this.#pressed ?? document.activeElement?.dataset?.address; // Buttons are made anew; whoever is on one stays.
    this.#pressed = null;
    this.#hosts.replaceChildren(...hostCards(told));
    this.#waiting.fill(told.waiting.map(waitingEntry), "Nobody: whatever can be done now is being done.");
    this.#left.fill(told.left.map(leftEntry), "Nothing of yours runs.");
    if (focused) this.querySelector(`[data-address="${CSS.escape(focused)}"]`)?.focus();
  }
}

function section(title, id) {
  const list = build("ul", { class: "machines-list" });
  const none = build("p", { class: "quiet small" });
  const node = build("section", { class: "card machines-part", "aria-labelledby": id }, build("h2", { id }, title), list, none);
  return {
    node,
    fill(entries, nothing) {
      list.replaceChildren(...entries);
      write(none, entries.length ? "" : nothing);
    },
  };
}

function hostCards({ workers, hosts, may_drain: mayDrain }) {
  const here = workers.filter((worker) => worker.is_here);
  if (!here.length) return [empty(), ...hosts.filter(isTold).map((host) => losing(host, mayDrain))];
  const known = new Map(hosts.map((host) => [host.name, host]));
  const names = [...new Set(here.map(({ host }) => host))].sort();
  return names.map((name) => hostCard(name, here.filter(({ host }) => host === name), known.get(name), mayDrain));
}

function isTold(host) {
  return host.is_set_aside || host.keeps_losing;
}

function empty() {
  return build("section", { class: "card machines-part" }, build("p", {}, HERE), build("p", {}, build("code", {}, COMMAND)),
    build("p", { class: "small" }, build("a", { href: "/docs/machines" }, "More about workers")));
}

function hostCard(name, workers, host, mayDrain) {
  const drain = !mayDrain ? null : host?.is_drained
    ? hostButton(name, "is_drained", false, `Let all of ${name} work again`)
    : workers.length > 1 ? hostButton(name, "is_drained", true, `Drain all of ${name}`) : null;
  const heads = ["Worker", "Does now", "Since", "Done", "Holds", mayDrain ? "Draining" : null].filter(Boolean);
  const table = build("table", { class: "table machines-table", role: "table" },
    build("thead", { role: "rowgroup" },
      build("tr", { role: "row" }, ...heads.map((head) => build("th", { scope: "col", role: "columnheader" }, head)))),
    build("tbody", { role: "rowgroup" }, ...workers.map((worker) => workerRow(worker, mayDrain))));
  return build("section", { class: "card machines-part" },
    build("div", { class: "machines-head" }, build("h2", {}, name), drain),
    host && isTold(host) ? losing(host, mayDrain) : null, meters(workers), build("div", { class: "table-frame" }, table));
}

/** Memory is of each device, a CPU's that of the host, and load is of the host: who spoke last says them. */
function meters(workers) {
  const { load, cores } = newest(workers);
  const devices = [...new Set(workers.map(({ device }) => device))].sort();
  const shown = devices.flatMap((device) => memoryOf(newest(workers.filter((worker) => worker.device === device))));
  if (load !== null) shown.push(meter("Load", load, `${Math.round(load * 100)} % of ${cores ?? "its"} ${cores === 1 ? "core" : "cores"}`));
  return build("div", { class: "machines-meters" }, ...shown);
}

function newest(workers) {
  return workers.reduce((one, other) => (other.seen > one.seen ? other : one));
}

function memoryOf({ device, memory, memory_used: used }) {
  const title = device === "cpu" ? "Memory" : `Memory of ${device}`;
  if (!memory) return [];
  return [used === null ? build("span", { class: "small" }, `${title}: ${bytes(memory)}`) : meter(title, used / memory, `${bytes(used)} of ${bytes(memory)}`)];
}

function meter(title, part, words) {
  return build("label", { class: "machines-meter" }, build("span", { class: "small" }, `${title}: ${words}`),
    build("progress", { max: 1, value: Math.min(1, part), "aria-label": title }));
}

function workerRow(worker, mayDrain) {
  const of = worker.stream_url ? [" of ", build("a", { href: worker.stream_url }, worker.stream_name || "one without a name")] : [];
  const does = worker.job === null ? worker.is_drained ? "is drained" : "waits" : worker.job;
  const took = worker.since === null ? "–" : duration(Math.max(0, Date.now() / 1000 - worker.since));
  const part = worker.part === null ? "–" : `${Math.round(worker.part * 100)} %`;
  const left = worker.seconds_left === null ? "" : `${duration(worker.seconds_left)} left`;
  return build("tr", { role: "row" },
    cell("Worker", worker.name, build("div", { class: "quiet small" }, worker.device)),
    cell("Does now", does, ...of, worker.is_drained && worker.job !== null ? build("div", { class: "quiet small" }, "gives it back soon") : null),
    cell("Since", took),
    cell("Done", part, build("div", { class: "quiet small" }, left)),
    cell("Holds", bytes(worker.own_memory)),
    mayDrain ? cell("Draining", drainButton(worker)) : null);
}

/** On a phone the rows are stacked, each value behind the name of its column; what is laid out so is a table no more
 * unless it says it is. */
function cell(head, ...content) {
  return build("td", { role: "cell", "data-head": head }, build("div", {}, ...content));
}

function drainButton({ name, is_drained: isDrained }) {
  return build("button", {
    class: "button", type: "button", "data-address": `/api/workers/${encodeURIComponent(name)}`, "data-field": "is_drained",
    "data-value": isDrained ? "no" : "yes", "aria-label": isDrained ? `Let ${name} work again` : `Drain ${name}`,
    title: isDrained ? null : "It claims nothing more; what it does goes elsewhere at the end of its epoch.",
  }, isDrained ? "Work again" : "Drain");
}

function waitingEntry({ name, url, stream, priority, due, seconds }) {
  const who = stream ? build("a", { href: url }, name || "one without a name") : "something of another user";
  const first = priority === "normal" ? "" : `, goes ${priority}`;
  const wait = seconds === null ? "" : seconds < 1 ? ", its turn is next" : `, its turn comes in about ${duration(seconds)}`;
  return build("li", {}, who, ` – ${due} ${due === 1 ? "job" : "jobs"} due${first}${wait}`);
}

function leftEntry({ name, url, seconds, why }) {
  return build("li", {}, build("a", { href: url }, name || "one without a name"), " – ",
    seconds === null ? why : `about ${duration(seconds)}`);
}

customElements.define("machines-board", MachinesBoard);
