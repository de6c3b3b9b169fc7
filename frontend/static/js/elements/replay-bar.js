/**
 * <replay-bar>: a slider over the events of a replay, with marks, and what moves it: play, speed, steps, keys. Left and
 * right go by one event, Page Up and Page Down by a step, Home and End to the ends, space plays.
 */

import { MARK_NAMES, markPaths, nextMark, standing } from "../drawing/replay_words.js";
import { WHOLE_SECONDS } from "../live/player.js";
import { build, buildSvg, write, writeAttribute } from "./build.js";

const SPEEDS = [["whole", `whole in ${WHOLE_SECONDS} s`], ["1", "1×"], ["10", "10×"], ["100", "100×"], ["1000", "1000×"]];
const ADDRESS_MS = 400; // So long it stands before the address names the moment.
const BUTTONS = [ // [what it does, text, name]
  ["step-back", "«", "One step back"], ["back", "‹", "One event back"], ["play", "Play", null],
  ["on", "›", "One event on"], ["step-on", "»", "One step on"],
];
const KEYS = {
  ArrowLeft: "back", ArrowDown: "back", ArrowRight: "on", ArrowUp: "on", PageDown: "step-back", PageUp: "step-on",
  Home: "first", End: "last", " ": "play",
};

class ReplayBar extends HTMLElement {
  #player = null;
  #timer = null;
  #marksKey = "";
  #slider = build("input", { type: "range", class: "replay-slider", "aria-label": "Moment of the replay", step: "any" });
  #marks = buildSvg("svg", { class: "replay-marks", viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" });
  #buttons = new Map(BUTTONS.map(([act, text, name]) =>
    [act, build("button", { type: "button", class: "button", "data-act": act, "aria-label": name, title: name }, text)]));
  #speed = build("select", { "aria-label": "Speed" }, ...SPEEDS.map(([value, text]) => build("option", { value }, text)));
  #axis = build("select", { "aria-label": "The slider goes by" }, build("option", { value: "events" }, "by events"),
    build("option", { value: "time" }, "by time"));
  #words = ["event", "moment", "elapsed"].map((name) => build("span", { class: `number replay-${name}` }));
  #problem = build("span", { class: "small replay-problem", role: "status" });
  #legend = build("span", { class: "small quiet replay-legend" });
  #live = build("a", { class: "button" });
  #key = (event) => this.#pressed(event);

  connectedCallback() {
    this.append(
      build("div", { class: "replay-line" }, this.#slider, this.#marks),
      build("div", { class: "replay-row" },
        build("span", { class: "replay-buttons" }, ...this.#buttons.values()), this.#speed, this.#axis,
        build("span", { class: "replay-words" }, ...this.#words), this.#problem, this.#legend, this.#live));
    this.#slider.addEventListener("input", () => this.#slid());
    this.#speed.addEventListener("change", () => this.#player?.isPlaying && this.#play());
    this.#axis.addEventListener("change", () => this.#show());
    this.addEventListener("click", ({ target }) => this.#act(target.closest("[data-act]")?.dataset.act));
    document.addEventListener("keydown", this.#key);
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.#key);
    clearTimeout(this.#timer);
    this.replaceChildren();
  }

  /** live: the address of the live page. */
  drive(player, live) {
    this.#player = player;
    this.#live.href = live;
    player.listen(() => this.#show());
  }

  get #isByTime() {
    return this.#axis.value === "time" && this.#player.timeline.ticks.length > 0;
  }

  #act(act) {
    const player = this.#player;
    if (!act || !player) return;
    if (act === "play") {
      if (player.isPlaying) player.pause();
      else this.#play();
      return;
    }
    player.pause();
    const { marks } = player.timeline;
    const goals = {
      back: () => player.goal - 1, on: () => player.goal + 1, first: () => 1, last: () => player.last,
      "step-back": () => nextMark(marks, "step", player.goal, -1) ?? 1,
      "step-on": () => nextMark(marks, "step", player.goal, 1) ?? player.last,
    };
    player.go(goals[act]());
  }

  /** At the end, it plays from the beginning. */
  async #play() {
    const speed = this.#speed.value;
    if (this.#player.n >= this.#player.last) await this.#player.go(1);
    this.#player.play(speed === "whole" ? speed : Number(speed));
  }

  #slid() {
    const value = Number(this.#slider.value);
    this.#player.pause();
    this.#player.go(this.#isByTime ? this.#player.numberAt(value) : value);
  }

  /** Keys work where nothing else wants them: on the slider, and where nothing has the focus. */
  #pressed(event) {
    const isFree = event.target === document.body || event.target === this.#slider || event.target.id === "main";
    const act = KEYS[event.key];
    if (!act || !isFree || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.#act(act);
  }

  #show() {
    const player = this.#player;
    const { last, goal, isPlaying, timeline, isOver } = player;
    const said = standing(player);
    said.forEach((text, place) => write(this.#words[place], text));
    write(this.#problem, player.problem);
    write(this.#buttons.get("play"), isPlaying ? "Pause" : "Play");
    write(this.#live, isOver ? "Live page" : "Jump to live");
    for (const button of this.#buttons.values()) button.disabled = last < 2;
    const [first, end] = this.#isByTime ? [timeline.ticks[0][1], timeline.ticks.at(-1)[1]] : [1, Math.max(last, 1)];
    this.#slider.min = first;
    this.#slider.max = end;
    this.#slider.value = this.#isByTime ? (goal === player.n ? player.at : player.momentOf(goal)) : goal;
    this.#slider.disabled = last < 2;
    writeAttribute(this.#slider, "aria-valuetext", said.filter(Boolean).join(", "));
    this.#mark(first, end);
    clearTimeout(this.#timer);
    if (!isPlaying) this.#timer = setTimeout(() => history.replaceState(null, "", `?at=${player.n}`), ADDRESS_MS);
  }

  #mark(first, end) {
    const { marks } = this.#player.timeline;
    const key = `${marks.length} ${marks.at(-1)?.n} ${first} ${end}`;
    if (key === this.#marksKey) return;
    this.#marksKey = key;
    const isByTime = this.#isByTime;
    const placeOf = ({ n, at }) => ((isByTime ? at : n) - first) / Math.max(end - first, 1e-9);
    const paths = markPaths(marks, placeOf);
    this.#marks.replaceChildren(...[...paths].map(([kind, d]) => buildSvg("path", { class: `mark is-${kind}`, d })));
    this.#legend.replaceChildren(...[...paths.keys()].map((kind) =>
      build("span", { class: `mark-name is-${kind}` }, MARK_NAMES[kind])));
  }
}

customElements.define("replay-bar", ReplayBar);
