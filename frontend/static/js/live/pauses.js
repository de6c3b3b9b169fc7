/** How often a live page asks anew for what events do not carry. Pure. */

const SHORT = 300; // Children: a search of no more is asked about as often as is said,
const MOST = 10; // and a long one, of which one child more changes little and costs more to look at, so much more rarely.

/** pause: milliseconds, for a short search; done: verdicts so far. */
export function pauseAt(pause, done) {
  return pause * Math.min(Math.max(1, done / SHORT), MOST);
}
