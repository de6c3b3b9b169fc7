/**
 * A Plotly chart inside an element. It draws at most once a second, only while it can be seen, again when the colour
 * scheme or the size changes, and takes its colours from the style sheet's --chart-* properties.
 */

import { write } from "./build.js";
import { plotly } from "./plotly.js";
import { WhileSeen } from "./while-seen.js";

const DRAW_MS = 1000;
const COLOURS = ["ink", "quiet", "grid", "paper", "point", "best", "mean", "main", "entropy", "bad", "random", "area"];
const CONFIG = { displayModeBar: false, responsive: false, doubleClick: false };

export class ChartSurface {
  #host;
  #plot;
  #figure;
  #key = null;
  #wanted = null;
  #isStale = false;
  #clicked;
  #listens = false;
  #scheme = window.matchMedia("(prefers-color-scheme: dark)");
  #again = () => {
    this.#isStale = true;
    this.#whileSeen.plan();
  };
  #resized = new ResizeObserver(this.#again);
  #whileSeen = new WhileSeen((signal) => this.#draw(signal), {
    pause: DRAW_MS,
    isWanted: (isSeen) => isSeen && this.#isStale && this.#wanted !== null,
    cameNear: () => (this.#isStale = true),
  });

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
    this.#whileSeen.start(this.#plot);
  }

  close() {
    this.#whileSeen.stop();
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
    this.#again();
  }

  /** As show, without the wait: what a person asked for is there at once. */
  showNow(state, key) {
    this.#key = key;
    this.#wanted = state;
    this.#isStale = true;
    this.#whileSeen.hurry();
  }

  async #draw(signal) {
    const library = await plotly().catch((error) => write(this.#plot, error.message));
    if (signal.aborted) return;
    this.#isStale = false; // Whatever came while Plotly was loaded is drawn now.
    const { clientWidth: width, clientHeight: height } = this.#plot;
    if (!library || !width || !height) return;
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
