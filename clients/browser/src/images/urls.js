// Object URLs of pictures, counted. One that nobody shows any more stays for a while: who scrolls back finds it there.

const SPARE = 80; // that nobody shows; with a screen full of cards it stays well below 200

/** @typedef {{url: string, count: number}} Counted */

export class Urls {
  /** @type {Map<string, Counted>} */ #urls = new Map(); // those that nobody shows in the order in which they were left
  /** @type {(hash: string) => void} */ #gone;

  /** @param {(hash: string) => void} gone hears of each URL that was revoked */
  constructor(gone = () => {}) {
    this.#gone = gone;
  }

  /** @param {string} hash @returns {string | null} */
  get(hash) {
    return this.#urls.get(hash)?.url ?? null;
  }

  /**
   * The URL of these bytes. One that the hash had before is revoked: what is on the screen is painted already.
   *
   * @param {string} hash @param {ArrayBuffer} bytes @param {string} type @returns {string}
   */
  make(hash, bytes, type) {
    const before = this.#urls.get(hash);
    if (before) URL.revokeObjectURL(before.url);
    const url = URL.createObjectURL(new Blob([bytes], { type }));
    this.#urls.set(hash, { url, count: before?.count ?? 0 });
    this.#trim();
    return url;
  }

  /** Somebody shows it. @param {string} hash */
  hold(hash) {
    const counted = this.#urls.get(hash);
    if (counted) counted.count += 1;
  }

  /** Somebody shows it no more. @param {string} hash */
  release(hash) {
    const counted = this.#urls.get(hash);
    if (!counted) return;
    counted.count = Math.max(0, counted.count - 1);
    this.#urls.delete(hash); // to the end
    this.#urls.set(hash, counted);
    this.#trim();
  }

  /** @param {string} hash */
  revoke(hash) {
    const counted = this.#urls.get(hash);
    if (!counted) return;
    this.#urls.delete(hash);
    URL.revokeObjectURL(counted.url);
    this.#gone(hash);
  }

  clear() {
    for (const hash of [...this.#urls.keys()]) this.revoke(hash);
  }

  #trim() {
    const spare = [...this.#urls].filter(([, { count }]) => count === 0).map(([hash]) => hash);
    for (const hash of spare.slice(0, Math.max(0, spare.length - SPARE))) this.revoke(hash);
  }
}
