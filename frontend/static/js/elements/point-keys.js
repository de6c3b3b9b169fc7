/**
 * The keyboard of a chart whose points open something: arrow keys, Home and End go from point to point, Enter opens
 * the one that is chosen.
 */

const STEPS = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };

export class PointKeys {
  #points;
  #moved;
  #open;
  #chosen = null;
  #pressed = (event) => this.#press(event);

  /** points(): [{key, ...}] in the order of the keys; moved(point): one was chosen; open(key): what Enter does. */
  constructor({ points, moved, open }) {
    this.#points = points;
    this.#moved = moved;
    this.#open = open;
  }

  /** The key of the point that was chosen, or null. */
  get chosen() {
    return this.#chosen;
  }

  /** label: what a reader of the screen is told of the plot. */
  attach(plot, label) {
    plot.tabIndex = 0;
    plot.setAttribute("role", "application");
    plot.setAttribute("aria-label", label);
    plot.addEventListener("keydown", this.#pressed);
  }

  #press(event) {
    const points = this.#points();
    const at = points.findIndex(({ key }) => key === this.#chosen);
    if (event.key === "Enter" && at >= 0) this.#open(this.#chosen);
    if (!(event.key in STEPS) || !points.length) return;
    event.preventDefault();
    const next = points[Math.min(Math.max(at + STEPS[event.key], 0), points.length - 1)];
    this.#chosen = next.key;
    this.#moved(next);
  }
}
