/**
 * <meter-chart>: the networks of the honesty meter, shared score against held-out figure. A click on a point opens its
 * training; so does Enter, after the arrow keys went to it.
 */

import { meterFigure, meterPoints } from "../drawing/meter_figure.js";
import { build, write } from "./build.js";
import { ChartSurface } from "./chart-surface.js";
import { PointKeys } from "./point-keys.js";

const HINT = "A click on a point opens its training. By keyboard: arrow keys, then Enter.";
const LABEL = "Shared score against training from scratch: arrow keys go from network to network, Enter opens one";

class MeterChart extends HTMLElement {
  #shown = { points: [], isText: false, isOpen: false };
  #words = build("p", { class: "small quiet", role: "status", "aria-live": "polite" });
  #surface = new ChartSurface(this, meterFigure, { clicked: ([key]) => open(key) });
  #keys = new PointKeys({ points: () => this.#shown.points, moved: (point) => this.#moved(point), open });

  connectedCallback() {
    this.#surface.open();
    this.#keys.attach(this.lastElementChild, LABEL);
    this.append(this.#words);
  }

  disconnectedCallback() {
    this.#surface.close();
    this.replaceChildren();
  }

  /** meter: as the API tells it; scale: of a reward on text, null on images. */
  show(meter, scale) {
    this.#shown = { points: meterPoints(meter, scale), isText: scale !== null, isOpen: meter.is_open };
    this.querySelector(".chart-plot").tabIndex = this.#shown.points.length ? 0 : -1;
    const chosen = this.#shown.points.find(({ key }) => key === this.#keys.chosen);
    if (!chosen) write(this.#words, this.#shown.points.length ? HINT : "");
    this.#surface.show(this.#figure(), this.#key());
  }

  #moved({ words }) {
    write(this.#words, `${words.charAt(0).toUpperCase()}${words.slice(1)}. Enter opens its training.`);
    this.#surface.showNow(this.#figure(), this.#key());
  }

  #figure() {
    return { ...this.#shown, chosen: this.#keys.chosen };
  }

  #key() {
    return JSON.stringify(this.#figure());
  }
}

function open(address) {
  window.location.assign(address);
}

customElements.define("meter-chart", MeterChart);
