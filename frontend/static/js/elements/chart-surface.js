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
  #zoomed;
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
   * does, if anything. zoomed([first, last] or null): what it does that somebody drew a frame around some places, or
   * clicked twice for all of them.
   */
  constructor(host, figure, { clicked = null, zoomed = null } = {}) {
    this.#host = host;
    this.#clicked = clicked;
    this.#zoomed = zoomed;
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
    // With a finger one moves the page; the chart has buttons.
    const dragmode = this.#zoomed && window.matchMedia("(pointer: fine)").matches ? "zoom" : false;
    library.react(this.#plot, traces, { ...layout, dragmode, width, height }, CONFIG);
    if (this.#listens) return;
    this.#listens = true; // Plotly gives the plot its `on` with the first drawing, and forgets it when it is purged.
    if (this.#clicked) this.#plot.on("plotly_click", ({ points }) => this.#clicked(points[0].customdata));
    if (this.#zoomed) this.#listenToZoom();
  }

  #listenToZoom() {
    this.#plot.on("plotly_doubleclick", () => this.#zoomed(null));
    this.#plot.on("plotly_relayout", (change) => {
      const [first, last] = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
      if (first !== undefined && last !== undefined) this.#zoomed([first, last]);
    });
  }

  #colours() {
    const style = getComputedStyle(this.#host);
    return Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--chart-${name}`).trim()]));
  }
}
