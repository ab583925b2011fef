// When to come back after a failure: pure, with the time passed in. As posclient's `_backoff`, in milliseconds.

const FIRST = 800;
const CAP = 30_000;
const GOOD = 120_000; // of a connection after which the past is forgotten

/** Full jitter: a random time up to 0.8 s, doubled each time up to 30 s. A herd comes back spread out. */
export class Backoff {
  failures = 0;
  /** @type {() => number} */ #chance;

  /** @param {() => number} [chance] from 0 to 1 */
  constructor(chance = Math.random) {
    this.#chance = chance;
  }

  /**
   * How long to wait after a connection that lived `connectedFor` (0: it never came about). What the server asked for
   * is the least; the jitter comes on top.
   *
   * @param {{connectedFor?: number, retryAfter?: number | null}} how `retryAfter` in seconds, as the server says it
   */
  failed({ connectedFor = 0, retryAfter = null } = {}) {
    if (connectedFor >= GOOD) this.failures = 0;
    const longest = Math.min(CAP, FIRST * 2 ** this.failures);
    this.failures = Math.min(this.failures + 1, 10);
    return (retryAfter ?? 0) * 1000 + this.#chance() * longest;
  }

  /** How long to wait after a stream that the server ended in order. @param {{connectedFor: number, retry: number}} how */
  ended({ connectedFor, retry }) {
    if (connectedFor >= GOOD) this.failures = 0;
    return Math.min(CAP, retry) * (1 + this.#chance() / 4);
  }
}
