/**
 * <fresh-list>: the list of searches and trainings, whose figures are asked for again while something on this page goes
 * on and somebody sees it. Only what goes on is asked for; no line comes, goes or moves but one that was deleted.
 */

import { get } from "../api.js";
import { roughly } from "../drawing/format.js";
import { write, writeAttribute } from "./build.js";

const REFRESH_MS = 4000;

class FreshList extends HTMLElement {
  #timer = null;
  #request = null;

  connectedCallback() {
    this.#timer = setInterval(() => this.#ask(), REFRESH_MS);
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
    this.#request?.abort();
  }

  async #ask() {
    const rows = [...this.querySelectorAll(".entry:has(.state:is(.is-running, .is-deleting))")];
    if (document.hidden || !rows.length) return;
    this.#request?.abort();
    const { signal } = (this.#request = new AbortController());
    const ids = rows.map((row) => `&ids=${row.dataset.id}`).join("");
    const answer = await get(`/api/streams?archived=all&limit=200${ids}`, { signal }).catch(() => null); // The next time tells.
    if (!answer) return;
    const there = new Map(answer.streams.map((stream) => [stream.id, stream]));
    for (const row of rows) {
      const stream = there.get(row.dataset.id);
      if (stream) fill(row, stream);
      else row.remove();
    }
  }
}

function fill(row, stream) {
  const { done, total, unit, seconds_left: left } = stream;
  const progress = row.querySelector("progress");
  if (progress.max !== total) progress.max = total;
  if (progress.value !== done) progress.value = done;
  writeAttribute(progress, "aria-label", `${done} of ${total} ${unit}`);
  write(row.querySelector("[data-done]"), `${done} of ${total} ${unit}${left === null ? "" : `, ${roughly(left)} left`}`);
  write(row.querySelector("[data-result]"), stream.result);
  write(row.querySelector("[data-reason]"), stream.reason);
  writeAttribute(row.querySelector(".entry-spark path"), "d", stream.sparkline);
  const state = row.querySelector(".state");
  writeAttribute(state, "class", `state is-${stream.state}`);
  write(state, stream.state);
}

customElements.define("fresh-list", FreshList);
