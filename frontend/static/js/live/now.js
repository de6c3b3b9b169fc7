/** What time it is for the page: this moment, or the moment that a replay shows. Seconds since 1970. */

let shown = null;

export function now() {
  return shown ?? Date.now() / 1000;
}

/** moment: what now() says from now on; null for the clock on the wall. */
export function setNow(moment) {
  shown = moment;
}
