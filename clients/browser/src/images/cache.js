// The pictures of this device: whoever subscribes to one shows it. It comes from the storage, from what waits to be
// sent, or from the server, and is shown while it is stored. What can't be had now is tried again.

import { ImageMissing, InvalidHash, Refused, ServerUnavailable } from "../errors.js";
import { Listeners } from "../resources.js";
import { ORIGINAL, PictureBytes } from "./bytes.js";
import { AT_ONCE, catalogue, Downloads } from "./downloads.js";
import { Urls } from "./urls.js";

/** @import { ImageSnapshot, ImageStatus, PrefetchResult, Surroundings, Unsubscribe } from "../types.js" */
/** @import { Picture } from "./bytes.js" */
/** @import { PictureSource } from "./downloads.js" */

/**
 * A picture that somebody shows, or showed not long ago.
 *
 * @typedef {object} Entry
 * @property {string} hash
 * @property {number} shown how many show it
 * @property {Listeners} listeners
 * @property {ImageSnapshot} snapshot
 * @property {Promise<void> | null} coming
 * @property {unknown} error why it didn't come
 * @property {number} width of what is shown; 0: nothing
 * @property {number} tries in vain, in a row
 * @property {ReturnType<typeof setTimeout> | undefined} again
 */

const BUDGET = 500_000_000; // bytes
const IN_MEMORY = 64_000_000; // bytes, where nothing is kept
const FIRST_PAUSE = 2_000; // ms, doubled each time
const LONGEST_PAUSE = { missing: 600_000, failed: 60_000 }; // ms
const WIDE = 340; // device pixels of a tile above which the narrower copy looks coarse

const UNKNOWN = snapshot("unknown");
const NONE = snapshot("missing");

export class Images {
  /** @type {Map<string, Entry>} */ #entries = new Map();
  /** @type {Set<string>} */ #prefetched = new Set(); // what is being prefetched isn't evicted for what comes next
  /** @type {{hash: string, resolve: (picture: Picture | undefined) => void, reject: (error: unknown) => void}[]} */
  #reads = [];
  #urls = new Urls((hash) => this.#forget(hash));
  #width = 320;
  #isOpen = true;
  /** @type {Promise<void>} */ #loaded = Promise.resolve();
  /** @type {(hash: string) => Promise<Picture | null>} */ #waitingPhoto = async () => null;

  /**
   * @param {Pick<Surroundings, "http" | "pictures" | "tabs" | "clock" | "report">} given
   * @param {{tab?: string, widthOf?: (picture: Picture) => Promise<number>, source?: PictureSource, evicts?: boolean}}
   *   [more] `evicts`: whether the least recently used make room; else all that is kept stays until it is removed
   */
  constructor(
    { http, pictures, tabs, clock, report },
    { tab = randomName(), widthOf, source = catalogue, evicts = true } = {},
  ) {
    const kept = evicts ? BUDGET : Number.POSITIVE_INFINITY;
    const budget = pictures.isKept ? kept : IN_MEMORY;
    this.report = report;
    this.database = pictures;
    this.source = source;
    this.evicts = evicts;
    const { longest } = source;
    this.bytes = new PictureBytes({ database: pictures, tabs, now: clock.now, tab, report, budget, longest });
    const rest = widthOf ? { widthOf } : {};
    this.downloads = new Downloads({ http, source, bytes: this.bytes, isNeeded: this.#isNeeded, report, ...rest });
    this.bytes.onNews((hash) => {
      const entry = this.#entries.get(hash);
      if (entry?.shown && !entry.width) this.#come(entry); // another tab has it now
    });
  }

  /** Reads which pictures there are; what is shown meanwhile is found without it. */
  load() {
    this.#loaded = this.bytes.load().catch(this.report);
    return this.#loaded;
  }

  /** @param {(hash: string) => Promise<Picture | null>} read gives a photo that waits to be sent, by its final hash */
  set waitingPhotos(read) {
    this.#waitingPhoto = read;
  }

  /** How wide a tile is, in device pixels: wide ones get a wider copy. @param {number} pixels */
  setTileWidth(pixels) {
    this.#width = pixels > WIDE ? 640 : 320;
    for (const entry of this.#entries.values()) if (entry.shown && entry.width) this.#come(entry);
  }

  // --- Showing ------------------------------------------------------------------------------------------------------
  /**
   * Whoever subscribes shows the picture: it is fetched. What is no hash is asked of nobody.
   *
   * @param {string} hash @param {() => void} fn @returns {Unsubscribe}
   */
  subscribe = (hash, fn) => {
    if (!this.source.isName(hash)) return () => {};
    const entry = this.#entries.get(hash) ?? this.#newEntry(hash);
    const end = entry.listeners.add(fn);
    this.#hold(entry);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      end();
      this.#release(entry);
    };
  };

  /** @param {string} hash @returns {ImageSnapshot} the same object until it changed */
  getSnapshot = (hash) => (this.source.isName(hash) ? (this.#entries.get(hash)?.snapshot ?? UNKNOWN) : NONE);

  /**
   * An object URL of the picture, downloaded first when it isn't here. It is good while somebody subscribes to the
   * hash, and otherwise until some eighty others were asked for. Rejects with InvalidHash, ImageMissing,
   * ServerUnavailable, NotEnrolled.
   *
   * @param {string} hash @returns {Promise<string>}
   */
  async getImageUrl(hash) {
    if (!this.source.isName(hash)) throw new InvalidHash();
    const entry = this.#entries.get(hash) ?? this.#newEntry(hash);
    this.#hold(entry);
    try {
      await entry.coming;
      const { url } = entry.snapshot;
      if (url) return url;
      throw entry.error ?? new ServerUnavailable();
    } finally {
      this.#release(entry);
    }
  }

  /** What couldn't be had is tried now: the server was reached, or somebody asks. */
  hurry = () => {
    for (const entry of this.#entries.values()) {
      entry.tries = 0;
      if (entry.shown) this.#come(entry);
    }
  };

  /** A photo that waits to be sent is here now. @param {string} hash */
  added(hash) {
    const entry = this.#entries.get(hash);
    if (entry?.shown && !entry.width) this.#come(entry);
  }

  // --- Storing ------------------------------------------------------------------------------------------------------
  /**
   * Downloads what is missing. Nothing is thrown but by `signal`'s end, after which no other download begins: what
   * fails is counted, and there is no room for is counted as failed. Each hash counts once.
   *
   * @param {Iterable<string>} hashes
   * @param {{onProgress?: (done: number, of: number) => void, signal?: AbortSignal}} [options]
   * @returns {Promise<PrefetchResult>}
   */
  async prefetchImages(hashes, options) {
    return (await this.prefetch(hashes, options)).result;
  }

  /**
   * The same; `isFull`: there is no room for the rest.
   *
   * @param {Iterable<string>} hashes
   * @param {{onProgress?: (done: number, of: number) => void, signal?: AbortSignal}} [options]
   * @returns {Promise<{result: PrefetchResult, isFull: boolean}>}
   */
  async prefetch(hashes, { onProgress = () => {}, signal } = {}) {
    await this.#loaded;
    const wanted = [...new Set(hashes)];
    const lacking = wanted.filter((hash) => this.source.isName(hash) && !this.bytes.get(hash));
    const bad = wanted.filter((hash) => !this.source.isName(hash)).length;
    const result = { success_count: 0, failed_count: bad, already_cached: wanted.length - lacking.length - bad };
    let [done, isHopeless, isFull] = [wanted.length - lacking.length, false, false];
    const isWanted = () => this.#isOpen && !isHopeless && !isFull && !signal?.aborted;
    const one = async (/** @type {string} */ hash) => {
      try {
        const isKept = isWanted() && (await this.#prefetchOne(hash, isWanted));
        if (isKept === null) isFull = true;
        result[isKept ? "success_count" : "failed_count"] += 1;
      } catch (error) {
        result.failed_count += 1;
        if (error instanceof ImageMissing) return;
        this.report(error);
        // Or each of the others would wait for its own time-out.
        if (error instanceof ServerUnavailable && !isHopeless) isHopeless = !(await this.downloads.http.isReached());
      } finally {
        done += 1;
        onProgress(done, wanted.length);
      }
    };
    for (const hash of wanted) this.#prefetched.add(hash);
    try {
      onProgress(done, wanted.length);
      // A few at a time, so that what is seen meanwhile comes first and an end of `signal` leaves little to wait for.
      const work = async () => {
        for (let hash = lacking.shift(); hash !== undefined; hash = lacking.shift()) await one(hash);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    } finally {
      for (const hash of wanted) this.#prefetched.delete(hash);
    }
    signal?.throwIfAborted();
    return { result, isFull };
  }

  /**
   * @param {string} hash @param {() => boolean} isWanted
   * @returns {Promise<boolean | null>} whether it is here now; null when there is no room for it
   */
  async #prefetchOne(hash, isWanted) {
    if (!this.bytes.hasRoom(this.#isNeeded)) return null;
    const asker = { isWanted, isSeen: () => false };
    const arrival = await this.downloads.get(hash, this.#width, asker);
    return arrival ? (await arrival.kept) || null : (await this.bytes.read([hash])).has(hash); // of another tab
  }

  /**
   * Removes every picture that isn't among these, but what is on the screen. Rejects with InvalidHash, and removes
   * nothing, when one of them is no hash.
   *
   * @param {Iterable<string>} active
   */
  async cleanupUnused(active) {
    const wanted = new Set(active);
    for (const hash of wanted) if (!this.source.isName(hash)) throw new InvalidHash();
    await this.#loaded;
    return await this.bytes.cleanup((hash) => wanted.has(hash) || this.#isShown(hash));
  }

  async usage() {
    await this.#loaded;
    return this.bytes.usage;
  }

  /** For what can't be fetched again, on a full disk. @param {number} bytes */
  makeRoom = (bytes) => this.bytes.yieldRoom(bytes, this.#isShown);

  /** @param {number} bytes */
  setBudget = (bytes) => this.bytes.setBudget(this.database.isKept ? bytes : Math.min(bytes, IN_MEMORY), this.#isShown);

  /** Takes over a photo that the server has now, so that it isn't downloaded. @param {string} hash @param {ArrayBuffer} bytes */
  async adopt(hash, bytes) {
    await this.bytes.write(hash, { bytes, type: "image/jpeg", width: ORIGINAL }, this.#isNeeded);
  }

  /** Everything was cleared. */
  async reset() {
    await this.bytes.load();
    this.#urls.clear();
    for (const entry of this.#entries.values()) {
      Object.assign(entry, { width: 0 });
      if (entry.shown) this.#come(entry);
    }
  }

  async close() {
    this.#isOpen = false;
    for (const entry of this.#entries.values()) clearTimeout(entry.again);
    await this.downloads.close();
    await this.bytes.close().catch(this.report);
    this.#urls.clear();
  }

  // --- One picture --------------------------------------------------------------------------------------------------
  /** @param {string} hash @returns {Entry} */
  #newEntry(hash) {
    const entry = { hash, shown: 0, listeners: new Listeners(), snapshot: UNKNOWN, coming: null };
    const all = { ...entry, error: null, width: 0, tries: 0, again: undefined };
    this.#entries.set(hash, all);
    return all;
  }

  /** @param {Entry} entry */
  #hold(entry) {
    entry.shown += 1;
    this.#urls.hold(entry.hash);
    this.#come(entry);
  }

  /** @param {Entry} entry */
  #release(entry) {
    entry.shown -= 1;
    if (entry.shown) return void this.#urls.release(entry.hash);
    clearTimeout(entry.again);
    if (entry.width) this.#urls.release(entry.hash);
    else if (!entry.coming) this.#forget(entry.hash);
  }

  /** @param {string} hash */
  #forget(hash) {
    if (!this.#entries.get(hash)?.shown) this.#entries.delete(hash);
  }

  /** Has the picture come, unless it is here as wide as it is wanted. @param {Entry} entry */
  #come(entry) {
    if (entry.coming || entry.width >= this.#width || !this.#isOpen) return;
    clearTimeout(entry.again);
    entry.coming = this.#bring(entry)
      .catch((error) => this.#failed(entry, error))
      .finally(() => {
        entry.coming = null;
        if (!entry.shown && !entry.width) this.#forget(entry.hash);
      });
  }

  /** @param {Entry} entry */
  async #bring(entry) {
    const { hash } = entry;
    if (!entry.width) this.#say(entry, "loading");
    const stored = entry.width ? null : await this.#read(hash).catch(this.#nothing);
    if (stored) this.#show(entry, stored);
    else if (!entry.width) {
      const photo = await this.#waitingPhoto(hash).catch(this.#nothing);
      if (photo) return this.#show(entry, photo);
    }
    if (entry.width >= this.#width) return;
    if (!entry.width) this.#say(entry, "waiting");
    const isWanted = () => entry.shown > 0;
    const begins = () => entry.width || this.#say(entry, "loading");
    const arrival = await this.downloads.get(hash, this.#width, { isWanted, isSeen: isWanted, begins });
    const picture = arrival?.picture ?? (await this.#read(hash)); // of another tab
    if (picture) this.#show(entry, picture);
    else if (isWanted()) throw new ServerUnavailable();
    else this.#say(entry, "unknown");
  }

  /** What the storage can't give may come from the server. @param {unknown} error */
  #nothing = (error) => {
    this.report(error);
    return null;
  };

  /** @param {string} hash */
  #isShown = (hash) => Boolean(this.#entries.get(hash)?.shown);

  /** @param {string} hash */
  #isNeeded = (hash) => !this.evicts || this.#prefetched.has(hash) || this.#isShown(hash);

  /** @param {Entry} entry @param {Picture} picture */
  #show(entry, { bytes, type, width }) {
    const isNew = !this.#urls.get(entry.hash);
    const url = this.#urls.make(entry.hash, bytes, type);
    if (isNew) for (let held = 0; held < entry.shown; held += 1) this.#urls.hold(entry.hash);
    Object.assign(entry, { width, tries: 0, error: null });
    this.#say(entry, "ready", url);
  }

  /** @param {Entry} entry @param {unknown} error */
  #failed(entry, error) {
    entry.error = error;
    const status = error instanceof ImageMissing ? "missing" : "failed";
    if (!entry.width) this.#say(entry, status);
    const pause = Math.min(FIRST_PAUSE * 2 ** entry.tries, LONGEST_PAUSE[status]) * (0.5 + Math.random() / 2);
    const asked = error instanceof ServerUnavailable ? (error.retryAfter ?? 0) * 1000 : 0;
    entry.tries += 1;
    if (error instanceof Refused) return; // who may not read asks again when the connection is live
    if (entry.shown && this.#isOpen)
      entry.again = setTimeout(() => entry.shown && this.#come(entry), Math.max(pause, asked));
  }

  /** @param {Entry} entry @param {ImageStatus} status @param {string | null} [url] */
  #say(entry, status, url = null) {
    if (entry.snapshot.status === status && entry.snapshot.url === url) return;
    entry.snapshot = snapshot(status, url);
    entry.listeners.tell();
  }

  /**
   * From the storage. What is asked for at once, such as a screen full of cards, is read in one transaction.
   *
   * @param {string} hash @returns {Promise<Picture | undefined>}
   */
  #read(hash) {
    return new Promise((resolve, reject) => {
      this.#reads.push({ hash, resolve, reject });
      if (this.#reads.length > 1) return;
      queueMicrotask(async () => {
        const reads = this.#reads.splice(0);
        try {
          const found = await this.bytes.read([...new Set(reads.map((read) => read.hash))]);
          for (const read of reads) read.resolve(found.get(read.hash));
        } catch (error) {
          for (const read of reads) read.reject(error);
        }
      });
    });
  }
}

/** @param {ImageStatus} status @param {string | null} [url] @returns {ImageSnapshot} */
function snapshot(status, url = null) {
  return Object.freeze({ url, status });
}

const randomName = () => Math.random().toString(36).slice(2);
