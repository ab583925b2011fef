// The server's time, from the `Date` of its answers: believed when ours is more than two minutes off, and kept, so
// that a till with a wrong clock has today's prices also without the network.

const TOLERANCE = 120_000; // ms

export class Clock {
  /** @type {(offset: number) => void} */ #keep;

  /** @param {number} [offset] ms by which the server's clock is ahead of ours @param {(offset: number) => void} [keep] */
  constructor(offset = 0, keep = () => {}) {
    this.offset = Number.isFinite(offset) ? offset : 0;
    this.#keep = keep;
  }

  /** Milliseconds since 1970: by our clock, or by the server's when ours is more than two minutes off. */
  now() {
    return Date.now() + (Math.abs(this.offset) > TOLERANCE ? this.offset : 0);
  }

  /** @param {number} at what the server's clock said just now */
  look(at) {
    const before = this.offset;
    this.offset = at - Date.now();
    if (Math.abs(before - this.offset) > 5_000) this.#keep(this.offset);
  }
}
