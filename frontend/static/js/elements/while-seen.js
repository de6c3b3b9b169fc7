/**
 * Work for a node that a person looks at: done when the node comes near their sight, again every so often, else never.
 * In a tab that lies behind others nothing is seen.
 */

const MARGIN = "300px"; // Near enough for what is shown to be there before it is seen.

export class WhileSeen {
  #work;
  #isWanted;
  #cameNear;
  #pause;
  #isNear = false;
  #began = -Infinity;
  #turn = null; // Aborts the one piece of work that is planned or under way.
  #timer = null;
  #observer = new IntersectionObserver((entries) => {
    this.#isNear = entries.at(-1).isIntersecting;
    if (this.#isNear) this.#cameNear();
    this.plan();
  }, { rootMargin: MARGIN });
  #tabTurned = () => this.plan();

  /**
   * work(signal): may wait; never done twice at a time. pause: milliseconds from one begin to the next, at least,
   * or what says so each time.
   * isWanted(isSeen): whether there is something to do now. cameNear(): called when the node comes near, before that.
   */
  constructor(work, { pause, isWanted = (isSeen) => isSeen, cameNear = () => {} }) {
    this.#work = work;
    this.#pause = typeof pause === "function" ? pause : () => pause;
    this.#isWanted = isWanted;
    this.#cameNear = cameNear;
  }

  start(node) {
    this.#observer.observe(node);
    document.addEventListener("visibilitychange", this.#tabTurned);
  }

  get #isSeen() {
    return this.#isNear && !document.hidden;
  }

  /** What is under way is aborted; after another start all is as at first. */
  stop() {
    this.#observer.disconnect();
    document.removeEventListener("visibilitychange", this.#tabTurned);
    this.drop();
    this.#isNear = false;
    this.#began = -Infinity;
  }

  /** To be called after whatever isWanted depends on has changed. */
  plan() {
    if (this.#turn !== null || !this.#isWanted(this.#isSeen)) return;
    const { signal } = (this.#turn = new AbortController());
    const wait = Math.max(0, this.#began + this.#pause() - performance.now());
    this.#timer = setTimeout(() => this.#do(signal), wait);
  }

  /** As plan, without the pause: what a person asked for is there at once. */
  hurry() {
    this.drop();
    this.#began = -Infinity;
    this.plan();
  }

  /** What is planned or under way comes to nothing; plan or hurry begins anew. */
  drop() {
    clearTimeout(this.#timer);
    this.#turn?.abort();
    this.#turn = null;
  }

  async #do(signal) {
    try {
      if (!this.#isWanted(this.#isSeen)) return; // It went out of sight in the pause.
      this.#began = performance.now();
      await this.#work(signal);
    } finally {
      if (!signal.aborted) {
        this.#turn = null;
        this.plan();
      }
    }
  }
}
