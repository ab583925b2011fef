// Which pictures are kept for when there is no network, and how far that is. What is missing is worked out, not
// remembered: after a pause, a reload or a week it goes on with what isn't here. Only the connected tab downloads.

import { Listeners } from "../resources.js";
import { isHash } from "./sha256.js";

/** @import { Collection, ConnectionSnapshot, Favourites, OfflineMode, OfflineSnapshot, Product, Settings, Store, Tabs } from "../types.js" */
/** @import { Images } from "./cache.js" */

/**
 * What can be wanted: of each mode the names of its pictures, the first one unless told; and what tells when that may
 * have changed.
 *
 * @typedef {{modes: Partial<Record<OfflineMode, () => Iterable<string>>>, follows: readonly Pick<Store<any>, "subscribe">[]}} Wishes
 */

/**
 * The pictures of products.
 *
 * @param {object} given
 * @param {Pick<Collection<Product>, "subscribe" | "getSnapshot" | "get">} given.products
 * @param {Favourites} given.favourites
 * @param {Settings} given.settings `recent`: ids
 * @returns {Wishes}
 */
export function ofProducts({ products, favourites, settings }) {
  const of = (/** @type {Iterable<Product | undefined>} */ shown) =>
    [...shown].flatMap((product) => (isHash(product?.image) ? [product.image] : []));
  const called = (/** @type {readonly string[]} */ ids) => of(ids.map((id) => products.get(id)));
  const recent = () => settings.getSnapshot().recent;
  return {
    modes: {
      everything: () => of(products.getSnapshot().filter((product) => product.is_active !== false)),
      favourites: () => called(favourites.getSnapshot()),
      recent: () => called(Array.isArray(recent()) ? recent() : []),
      nothing: () => [],
    },
    follows: [products, favourites],
  };
}

const LOOKING = 500; // ms between two looks, however much happens
const FIRST_PAUSE = 10_000; // ms until what failed is tried again; doubled each time
const LONGEST_PAUSE = 600_000;

export class OfflinePictures {
  /** @type {OfflineSnapshot} */ #snapshot;
  #listeners = new Listeners();
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #soon;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #again;
  /** @type {AbortController | null} */ #running = null;
  /** @type {Promise<void>} */ #over = Promise.resolve();
  #failures = 0; // runs in a row that left something out
  #isFull = false;
  /** @type {(() => void)[]} */ #endings = [];

  /**
   * @param {object} given
   * @param {Images} given.images
   * @param {Wishes} given.wishes
   * @param {Settings} given.settings `offline`: one of the modes; `offline_paused`; `picture_budget` in bytes
   * @param {Store<Pick<ConnectionSnapshot, "state">>} given.connection
   * @param {Tabs} given.tabs
   * @param {(error: unknown) => void} given.report
   */
  constructor(given) {
    this.given = given;
    const [mode = "nothing"] = /** @type {OfflineMode[]} */ (Object.keys(given.wishes.modes));
    this.#snapshot = Object.freeze({ mode, state: "waiting", stored: 0, wanted: 0 });
    const { images, wishes, settings, connection, tabs } = given;
    this.#endings = [images.bytes, tabs].map((each) => each.subscribe(this.#lookSoon));
    this.#endings.push(...wishes.follows.map((each) => each.subscribe(this.#onWanted)));
    this.#endings.push(connection.subscribe(this.#onConnection), settings.subscribe(this.#onSettings));
  }

  /** @param {() => void} fn */
  subscribe = (fn) => this.#listeners.add(fn);

  getSnapshot = () => this.#snapshot;

  /** What is kept is known now: counts, and downloads what is missing. */
  start() {
    this.#onSettings();
    this.#look();
  }

  /** Tries now what failed. */
  hurry = () => {
    this.#failures = 0;
    this.#isFull = false;
    clearTimeout(this.#again);
    this.#again = undefined;
    this.#lookSoon();
  };

  /** What is on its way is kept before this is over. It goes on with the next look, when something is wanted. */
  async stop() {
    this.#running?.abort();
    await this.#over;
  }

  close() {
    for (const end of this.#endings.splice(0)) end();
    clearTimeout(this.#soon);
    clearTimeout(this.#again);
    this.#running?.abort();
  }

  /** @returns {OfflineMode} */
  get #mode() {
    const modes = /** @type {OfflineMode[]} */ (Object.keys(this.given.wishes.modes));
    const { offline } = this.given.settings.getSnapshot();
    return modes.find((mode) => mode === offline) ?? modes[0] ?? "nothing";
  }

  /** The pictures that are wanted, each once. @returns {string[]} */
  #wanted() {
    return [...new Set(this.given.wishes.modes[this.#mode]?.())];
  }

  #lookSoon = () => {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#look();
    }, LOOKING);
  };

  #onWanted = () => {
    this.#isFull = false;
    this.#lookSoon();
  };

  #onConnection = () => {
    const { state } = this.given.connection.getSnapshot();
    if (state === "live" && this.#snapshot.state === "waiting") this.hurry();
    else this.#lookSoon();
  };

  #onSettings = () => {
    const { picture_budget: budget } = this.given.settings.getSnapshot();
    if (typeof budget === "number" && budget >= 0 && budget !== this.given.images.bytes.budget)
      this.given.images.setBudget(budget).catch(this.given.report);
    this.hurry();
  };

  #look() {
    const wanted = this.#wanted();
    const missing = wanted.filter((hash) => !this.given.images.bytes.get(hash));
    const isPaused = this.given.settings.getSnapshot().offline_paused === true;
    const isLive = this.given.connection.getSnapshot().state === "live";
    const mayRun = isLive && !isPaused && !this.#isFull && missing.length > 0;
    if (!mayRun || !this.given.tabs.isConnected()) this.#running?.abort();
    else if (!this.#running && !this.#again) this.#over = this.#run(wanted);
    let state = /** @type {OfflineSnapshot["state"]} */ (mayRun && !this.#again ? "downloading" : "waiting");
    if (isPaused) state = "paused";
    if (this.#isFull) state = "full";
    if (!missing.length) state = "complete";
    this.#say({ mode: this.#mode, state, stored: wanted.length - missing.length, wanted: wanted.length });
  }

  /** @param {string[]} wanted */
  async #run(wanted) {
    const running = new AbortController();
    this.#running = running;
    try {
      const { result, isFull } = await this.given.images.prefetch(wanted, { signal: running.signal });
      this.#isFull = isFull;
      this.#failures = result.failed_count ? this.#failures + 1 : 0;
    } catch (error) {
      if (!running.signal.aborted) this.given.report(error);
    } finally {
      this.#running = null;
    }
    if (running.signal.aborted) return this.#lookSoon();
    if (this.#failures && !this.#isFull) {
      const pause = Math.min(FIRST_PAUSE * 2 ** (this.#failures - 1), LONGEST_PAUSE);
      this.#again = setTimeout(() => {
        this.#again = undefined;
        this.#look();
      }, pause);
    }
    this.#look();
  }

  /** @param {OfflineSnapshot} snapshot */
  #say(snapshot) {
    if (JSON.stringify(snapshot) === JSON.stringify(this.#snapshot)) return;
    this.#snapshot = Object.freeze(snapshot);
    this.#listeners.tell();
  }
}
