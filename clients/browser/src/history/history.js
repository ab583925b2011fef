// The pictures that one login of the staff made, as `GET /api/history/sync` tells of them, and which of them are on this
// device. All databases have the login's id in their names: another login sees nothing of them.

import { openDatabase, SHAPES, storageOfBrowser } from "../database.js";
import { Http } from "../http.js";
import { Images } from "../images/cache.js";
import { OfflinePictures } from "../images/offline.js";
import { Records, Settings } from "../own.js";
import { Value } from "../resources.js";
import { channelOf, followBrowser, Tabs } from "../tabs.js";
import { HistoryCopy } from "./copy.js";
import { Following } from "./following.js";
import { originals } from "./originals.js";

/** @import { Shape } from "../database.js" */
/** @import { Channel } from "../tabs.js" */
/** @import { BrowserStorage, Database, ImageUsage, OfflineMode, Row } from "../types.js" */

/** @satisfies {Record<string, Shape>} */
export const HISTORY_SHAPES = {
  items: { version: 1, isCopy: true, stores: { state: {}, items: { keyPath: "id" } } },
  thumbnails: SHAPES.pictures,
  originals: SHAPES.pictures,
  own: { version: 1, isCopy: false, stores: { settings: { keyPath: "id" } } },
};

/** @typedef {Record<keyof typeof HISTORY_SHAPES, Database>} Databases */

/**
 * @typedef {object} HistoryOptions
 * @property {number} user whose history it is
 * @property {() => string} login a name of the present login: another one after each log-in and log-out; empty: unknown
 * @property {string} [base] the server's address when it isn't the page's
 * @property {{fetch?: typeof globalThis.fetch, channel?: Channel | null, databases?: Databases,
 *   isVisible?: () => boolean, times?: typeof import("./following.js").TIMES}} [world] what is outside
 */

const MOST_ERRORS = 50;
const LAST = 50; // pictures, unless told

export class History {
  /** Opens what is kept, and asks the server. It always opens. @param {HistoryOptions} options */
  static async open(options) {
    const errors = new Value(/** @type {readonly {at: number, error: unknown}[]} */ ([]));
    const report = (/** @type {unknown} */ error) =>
      errors.set([...errors.getSnapshot(), { at: Date.now(), error }].slice(-MOST_ERRORS));
    const name = `redcoral-history-${options.user}`;
    const databases = options.world?.databases ?? (await openAll(name, report));
    const history = new History(name, databases, options, errors, report);
    await history.#load();
    return history;
  }

  /** @type {Tabs} */ #tabs;
  /** @type {HistoryCopy} */ #copy;
  /** @type {Following} */ #following;
  /** @type {Records<any>} */ #records;
  /** @type {(() => void)[]} */ #endings = [];
  #isCleaned = false;

  /**
   * @param {string} name @param {Databases} databases @param {HistoryOptions} options
   * @param {Value<readonly {at: number, error: unknown}[]>} errors @param {(error: unknown) => void} report
   */
  constructor(name, databases, { user, login, base = "", world = {} }, errors, report) {
    const isVisible = world.isVisible ?? (() => globalThis.document?.visibilityState !== "hidden");
    this.databases = databases;
    this.login = login;
    this.errors = errors;
    this.report = report;
    this.http = new Http({ base, ...(world.fetch ? { fetch: world.fetch } : {}) });
    const isKept = databases.items.isKept && databases.originals.isKept;
    this.#tabs = new Tabs({ channel: isKept ? channelOf(name, world.channel) : null, isVisible });
    const given = { http: this.http, tabs: this.#tabs, clock: Date, report };
    /** What the grid shows: narrow pictures in normal form, by `hash`. The least recently seen make room. */
    this.thumbnails = new Images({ ...given, pictures: databases.thumbnails });
    /** Pictures as they came from their provider, by `r2_key`. None makes room for another. */
    this.originals = new Images({ ...given, pictures: databases.originals }, { source: originals, evicts: false });
    const makeRoom = (/** @type {number} */ bytes) => this.thumbnails.makeRoom(bytes);
    this.#copy = new HistoryCopy(databases.items, { tabs: this.#tabs, report, makeRoom });
    const times = world.times ? { times: world.times } : {};
    this.#following = new Following({ http: this.http, copy: this.#copy, user, login, isVisible, ...times });
    this.#records = new Records(databases.own, "settings", this.#tabs, makeRoom);
    this.settings = new Settings(/** @type {any} */ (this.#records));
    this.items = this.#copy.items;
    this.problem = this.#copy.problem;
    this.connection = this.#following.state;
    /** Which originals are kept on this device, and how many of them are here. */
    this.offline = this.#keeping(this.originals, "r2_key");
    this.previews = this.#keeping(this.thumbnails, "hash");
  }

  /** Asks the server now. */
  look = () => this.#following.look();

  /** The newest first. @returns {Row[]} */
  newestFirst() {
    return [...this.items.getSnapshot()].sort((one, other) =>
      one.timestamp === other.timestamp ? (one.id < other.id ? 1 : -1) : one.timestamp < other.timestamp ? 1 : -1,
    );
  }

  /** What the server answered when an item was made or changed. @param {Row} item */
  async take(item) {
    await this.#copy.take(item.id, item);
    this.#following.plan();
  }

  /** The server forgot it. @param {string} id */
  async drop(id) {
    await this.#copy.take(id, null);
  }

  /**
   * Which originals are to be here: `everything`, `favourites`, the `recent` ones (so many), or `nothing` more.
   *
   * @param {OfflineMode} mode @param {number} [count]
   */
  async bring(mode, count = LAST) {
    await this.settings.set("offline_count", count);
    await this.settings.set("offline_paused", undefined);
    await this.settings.set("offline", mode);
  }

  /** @param {boolean} isPaused */
  pause = (isPaused) => this.settings.set("offline_paused", isPaused || undefined);

  /** How many originals there are that aren't here. */
  get elsewhere() {
    return this.#names("r2_key", this.items.getSnapshot()).filter((key) => !this.originals.bytes.get(key)).length;
  }

  /** @returns {Promise<BrowserStorage & {items: number, thumbnails: ImageUsage, originals: ImageUsage}>} `items`: bytes */
  async usage() {
    const [browser, thumbnails, kept] = await Promise.all([
      storageOfBrowser(),
      this.thumbnails.usage(),
      this.originals.usage(),
    ]);
    return { ...browser, items: JSON.stringify(this.items.getSnapshot()).length, thumbnails, originals: kept };
  }

  /** Removes all pictures from this device, and brings no more by itself. The history stays. */
  async removePictures() {
    await this.bring("nothing");
    for (const keeping of [this.offline, this.previews]) await keeping.stop();
    for (const images of [this.originals, this.thumbnails]) {
      await images.bytes.cleanup(() => false);
      await images.reset();
    }
  }

  async close() {
    for (const end of this.#endings.splice(0)) end();
    this.#tabs.stop();
    for (const keeping of [this.offline, this.previews]) keeping.close();
    await this.#following.close();
    await Promise.all([this.originals.close(), this.thumbnails.close()]);
    this.#tabs.close();
    for (const database of Object.values(this.databases)) database.close();
  }

  async #load() {
    this.#tabs.start();
    const read = [this.#copy.load(this.login()), this.#records.load()];
    await Promise.all(read.map((each) => each.catch(this.report)));
    const counted = [this.originals, this.thumbnails].map((images) => images.load());
    this.#endings.push(
      this.#copy.onGone((gone) => this.#forget(gone).catch(this.report)),
      this.connection.subscribe(() => this.#onConnection()),
      followBrowser(this.#tabs, this.#following.wake, ["focus"]),
    );
    void this.look();
    Promise.all(counted).then(() => {
      for (const keeping of [this.offline, this.previews]) keeping.start();
    });
  }

  /** What keeps pictures here, by this name of theirs. @param {Images} images @param {"r2_key" | "hash"} name */
  #keeping(images, name) {
    const count = () => Number(this.settings.getSnapshot().offline_count) || LAST;
    const modes = {
      nothing: () => [],
      everything: () => this.#names(name, this.newestFirst()),
      favourites: () =>
        this.#names(
          name,
          this.newestFirst().filter((item) => item.favorite === true),
        ),
      recent: () => this.#names(name, this.newestFirst().slice(0, count())),
    };
    return new OfflinePictures({
      images,
      wishes: { modes, follows: [this.items] },
      settings: this.settings,
      connection: this.connection,
      tabs: this.#tabs,
      report: this.report,
    });
  }

  /** @param {"r2_key" | "hash"} name @param {readonly Row[]} items @returns {string[]} */
  #names(name, items) {
    const { source } = name === "hash" ? this.thumbnails : this.originals;
    return items.flatMap((item) => (source.isName(item[name]) ? [item[name]] : []));
  }

  #onConnection() {
    if (this.connection.getSnapshot().state !== "live") return;
    this.thumbnails.hurry();
    if (this.#isCleaned) return;
    this.#isCleaned = true; // what was deleted while this page was closed
    const items = this.items.getSnapshot();
    this.originals.cleanupUnused(this.#names("r2_key", items)).catch(this.report);
    this.thumbnails.cleanupUnused(this.#names("hash", items)).catch(this.report);
  }

  /** @param {readonly Row[]} gone */
  async #forget(gone) {
    const shown = new Set(this.#names("hash", this.items.getSnapshot()));
    await this.originals.bytes.remove(this.#names("r2_key", gone));
    await this.thumbnails.bytes.remove(this.#names("hash", gone).filter((hash) => !shown.has(hash)));
  }
}

/** @param {string} name @param {(error: unknown) => void} report @returns {Promise<Databases>} */
async function openAll(name, report) {
  const opened = Object.entries(HISTORY_SHAPES).map(async ([part, shape]) => [
    part,
    await openDatabase(`${name}-${part}`, shape, report),
  ]);
  return Object.fromEntries(await Promise.all(opened));
}
