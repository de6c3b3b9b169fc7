/**
 * A Plotly chart inside an element. It draws at most once a second, only while it can be seen, again when the colour
 * scheme or the size changes, and takes its colours from the style sheet's --chart-* properties.
 */

import { write } from "./build.js";
import { plotly } from "./plotly.js";

const DRAW_MS = 1000;
const COLOURS = ["ink", "quiet", "grid", "paper", "point", "best", "mean", "main", "entropy", "bad", "random", "area"];
const CONFIG = { displayModeBar: false, responsive: false, doubleClick: false };

export class ChartSurface {
  #host;
  #plot;
  #figure;
  #key = null;
  #wanted = null;
  #drawn = -Infinity;
  #timer = null;
  #visible = false;
  #clicked;
  #listens = false;
  #scheme = window.matchMedia("(prefers-color-scheme: dark)");
  #again = () => this.#plan();
  #resized = new ResizeObserver(this.#again);
  #seen = new IntersectionObserver((entries) => {
    this.#visible = entries.at(-1).isIntersecting;
    this.#plan();
  }, { rootMargin: "200px" });

  /**
   * host: the element; figure(state, colours): {traces, layout}, pure. clicked(customdata): what a click on a point
   * does, if anything.
   */
  constructor(host, figure, clicked = null) {
    this.#host = host;
    this.#clicked = clicked;
    this.#figure = figure;
    this.#plot = document.createElement("div");
    this.#plot.className = "chart-plot";
  }

  open() {
    this.#host.append(this.#plot);
    this.#scheme.addEventListener("change", this.#again);
    this.#resized.observe(this.#plot);
    this.#seen.observe(this.#plot);
  }

  close() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#seen.disconnect();
    this.#resized.disconnect();
    this.#scheme.removeEventListener("change", this.#again);
    window.Plotly?.purge(this.#plot);
    this.#plot.remove();
    this.#key = null;
    this.#listens = false;
  }

  /** key: whatever the figure depends on, as a text; drawing waits until it changes. */
  show(state, key) {
    if (key === this.#key) return;
    this.#key = key;
    this.#wanted = state;
    this.#plan();
  }

  /** As show, without the wait: what a person asked for is there at once. */
  showNow(state, key) {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#drawn = -Infinity;
    this.#key = null;
    this.show(state, key);
  }

  #plan() {
    if (this.#wanted === null || !this.#visible || this.#timer !== null) return;
    const wait = Math.max(0, this.#drawn + DRAW_MS - performance.now());
    this.#timer = setTimeout(() => this.#draw(), wait);
  }

  async #draw() {
    const library = await plotly().catch((error) => write(this.#plot, error.message));
    this.#timer = null;
    const { clientWidth: width, clientHeight: height } = this.#plot;
    if (!library || !width || !height) return;
    this.#drawn = performance.now();
    const { traces, layout } = this.#figure(this.#wanted, this.#colours());
    library.react(this.#plot, traces, { ...layout, width, height }, CONFIG);
    if (!this.#clicked || this.#listens) return;
    this.#listens = true; // Plotly gives the plot its `on` with the first drawing, and forgets it when it is purged.
    this.#plot.on("plotly_click", ({ points }) => this.#clicked(points[0].customdata));
  }

  #colours() {
    const style = getComputedStyle(this.#host);
    return Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--chart-${name}`).trim()]));
  }
}
