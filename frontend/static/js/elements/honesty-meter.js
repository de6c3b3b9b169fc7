/**
 * <honesty-meter>: some candidates are trained from scratch, on request, and their order is compared with the order by
 * shared score. It asks again while one of them is trained, and only while it can be seen.
 */

import { get, newKey, post } from "../api.js";
import { METER_VERDICTS } from "../drawing/meter_figure.js";
import { score } from "../drawing/scores.js";
import { percent, perplexity } from "../drawing/format.js";
import { searchPaths } from "../live/paths.js";
import { build, write } from "./build.js";
import { WhileSeen } from "./while-seen.js";
import "./meter-form.js";
import "./meter-chart.js";
import { explained, writeExplained } from "./term.js";

const TERMS = { candidate: "candidate", score: "score", perplexity: "perplexity" };
const REFRESH_MS = 3000;
const INTRO = "Some candidates of different score are trained from scratch, all alike and short. Then the order by shared " +
  "score is compared with the order by what they reached.";

class HonestyMeter extends HTMLElement {
  #page = null;
  #isOver = false;
  #isOpen = true; // Whether something may change without a sign from the search.
  #shown = "";
  #parts = null;
  #whileSeen = new WhileSeen((signal) => this.#ask(signal), {
    pause: REFRESH_MS,
    isWanted: (isSeen) => isSeen && this.#isOver && this.#isOpen,
    cameNear: () => (this.#isOpen = true),
  });

  connectedCallback() {
    this.#whileSeen.start(this);
  }

  disconnectedCallback() {
    this.#whileSeen.stop();
    this.#parts = null;
    this.#isOver = false;
    this.#shown = "";
    this.replaceChildren();
  }

  render(state, page) {
    this.#page = page;
    if (!this.#parts) this.#lay();
    if (state.ended_at === null) {
      write(this.#parts.waiting, "This can be asked for when the search has ended and its candidates are there.");
      return;
    }
    if (this.#isOver) return;
    this.#isOver = true;
    this.#whileSeen.plan();
  }

  get #api() {
    return `${searchPaths(this.#page.id).api}/honesty-meter`;
  }

  async #ask(signal) {
    try {
      const meter = await get(this.#api, { signal });
      this.#isOpen = meter.is_open;
      this.#show(meter);
    } catch {
      // The next time tells.
    }
  }

  #lay() {
    this.#parts = {
      intro: build("p", { class: "quiet" }, INTRO),
      verdict: build("p", { hidden: true }), text: build("p", {}), waiting: build("p", { role: "status" }),
      chart: build("meter-chart", { hidden: true }), table: rankingTable(),
      actions: build("div", { class: "meter-actions", hidden: true }),
      form: build("meter-form", { hidden: true }),
      problem: build("p", { class: "action-error small", role: "alert" }), rest: build("p", { class: "small quiet" }),
    };
    const { intro, verdict, text, waiting, chart, rest, table: ranking, actions, form, problem } = this.#parts;
    this.replaceChildren(build("div", { class: "honesty-said" }, intro, verdict, text, waiting, chart, rest),
      build("div", { class: "honesty-side" }, ranking, actions, form, problem));
    const stop = build("button", { class: "button", type: "button" }, "Stop these trainings");
    stop.addEventListener("click", () => this.#stop(stop));
    this.#parts.actions.append(stop);
    this.#parts.form.addEventListener("asked", ({ detail }) => this.#asked(detail));
  }

  #show(meter) {
    const key = JSON.stringify(meter);
    if (key === this.#shown) return;
    this.#shown = key;
    const { verdict, text, waiting, chart, table, actions, form, rest } = this.#parts;
    const { correlation, networks, sentences } = meter;
    const [title, mark] = METER_VERDICTS[correlation?.verdict] ?? ["", "open"];
    write(verdict, title);
    verdict.className = `verdict is-${mark}`;
    verdict.hidden = !title;
    write(text, correlation ? sentences[0] : "");
    write(waiting, meter.waiting);
    chart.hidden = table.hidden = !networks.length;
    if (networks.length) {
      chart.show(meter, this.#page.scale);
      writeExplained(table.querySelector("th:nth-child(2)"), this.#page.scale === null ? "Shared score" : "Shared perplexity", TERMS);
      fill(table.querySelector("tbody"), networks, this.#page.scale);
    }
    actions.hidden = !meter.is_open;
    form.hidden = meter.candidates < meter.fewest;
    if (!form.hidden) form.offer(meter, this.#api);
    write(rest, networks.length ? sentences.slice(correlation ? 1 : 0).join(" ") : "");
  }

  #asked(meter) {
    write(this.#parts.problem, "");
    this.#whileSeen.drop(); // An open request would bring back how it was before.
    this.#show(meter);
    this.#isOpen = true;
    this.#whileSeen.plan();
  }

  async #stop(button) {
    button.disabled = true;
    try {
      this.#asked(await post(`${this.#api}/stop`, {}, { key: newKey() }));
    } catch (error) {
      write(this.#parts.problem, error.message);
    }
    button.disabled = false;
  }
}

function rankingTable() {
  const heads = ["Candidate", "Shared score", "From scratch", "Training"];
  return build("div", { class: "table-frame", hidden: true, tabindex: 0, role: "group", "aria-label": "Networks of the meter" },
    build("table", { class: "table" }, build("thead", {}, build("tr", {}, ...heads.map((head, place) =>
      build("th", { scope: "col", class: place === 1 || place === 2 ? "is-number" : null }, ...explained(head, TERMS))))), build("tbody", {})));
}

/** Highest score first, as people read a ranking. */
function fill(body, networks, scale) {
  body.replaceChildren(...networks.toReversed().map((one) => build("tr", {},
    build("th", { scope: "row" }, build("a", { href: one.url }, `${one.step}.${one.slot}`)),
    build("td", { class: "is-number" }, score(one.score, scale)),
    build("td", { class: "is-number" }, scale === null ? percent(one.held_out) : perplexity(one.held_out)),
    build("td", {}, build("a", { href: one.training_url, class: `state is-${one.state}` }, inWords(one)),
      one.reason ? build("span", { class: "child-note small" }, one.reason) : null))));
}

function inWords({ state, epoch, epochs }) {
  if (state !== "running") return state;
  return epoch ? `epoch ${epoch} of ${epochs}` : "waits or begins";
}

customElements.define("honesty-meter", HonestyMeter);
