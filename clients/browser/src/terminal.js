// Everything that a terminal has, put together: `Terminal.open({ resources, name })`.

import { Clock } from "./clock.js";
import { Connection } from "./connection.js";
import { openDatabase, SHAPES, storageOfBrowser } from "./database.js";
import { NotAllowed, NotEnrolled, StorageFull, UnexpectedAnswer } from "./errors.js";
import { Http } from "./http.js";
import { Images } from "./images/cache.js";
import { OfflinePictures, ofProducts } from "./images/offline.js";
import { Outbox } from "./outbox/outbox.js";
import { Favourites, Records, Settings, Tickets } from "./own.js";
import { COUNTER, emptyTicket, isTicket, withMoved } from "./prices/ticket.js";
import { Listeners, Resource, Value } from "./resources.js";
import { CopyStore } from "./store.js";
import { channelOf, followBrowser, Tabs } from "./tabs.js";

/** @import { Channel } from "./tabs.js" */
/** @import { Database, Device, NoticeSnapshot, OpenOptions, Shop, StorageUsage, Update } from "./types.js" */

export const RESOURCES = ["product", "category", "tag", "attribute", "zone", "dining_table", "price_rule"];

const MOST_ERRORS = 50; // that the diagnostics can show

/** @type {Shop} */
const UNKNOWN_SHOP = Object.freeze({ name: "", time_zone: "UTC", currency: "EUR" });

/**
 * What is outside: a page has all of it.
 *
 * @typedef {object} World
 * @property {typeof globalThis.fetch} [fetch]
 * @property {Channel | null} [channel] to the other tabs
 * @property {{copy: Database, pictures: Database, own: Database}} [databases]
 * @property {() => boolean} [isVisible]
 * @property {boolean} [isPolling] never a stream
 * @property {typeof import("./connection.js").TIMES} [times]
 */

export class Terminal {
  /**
   * Opens what the browser has kept, and connects. It always opens: what can't be read is fetched again, and what
   * can't be kept is in memory; `notices` says so.
   *
   * @param {OpenOptions & {world?: World}} [options]
   */
  static async open({ resources = RESOURCES, name = "redcoral", base = "", connect = true, world = {} } = {}) {
    const errors = new Value(/** @type {readonly {at: number, error: unknown}[]} */ ([]));
    const report = (/** @type {unknown} */ error) =>
      errors.set([...errors.getSnapshot(), { at: Date.now(), error }].slice(-MOST_ERRORS));
    const databases = world.databases ?? (await openAll(name, report));
    const terminal = new Terminal({ resources, name, base, world, databases, errors, report });
    if (connect) terminal.#tabs.start(); // the other tabs answer while we read
    await terminal.#load();
    if (connect) terminal.connect();
    return terminal;
  }

  /** @type {Connection} */ #connection;
  /** @type {CopyStore} */ #copy;
  /** @type {Tabs} */ #tabs;
  /** @type {Record<string, Records<any>>} */ #own;
  /** @type {(() => void)[]} */ #endings = [];
  #cleared = new Listeners();
  #isOpen = false;

  /**
   * @param {object} parts
   * @param {readonly string[]} parts.resources
   * @param {string} parts.name
   * @param {string} parts.base
   * @param {World} parts.world
   * @param {{copy: Database, pictures: Database, own: Database}} parts.databases
   * @param {Value<readonly {at: number, error: unknown}[]>} parts.errors
   * @param {(error: unknown) => void} parts.report
   */
  constructor({ resources, name, base, world, databases, errors, report }) {
    const isVisible = world.isVisible ?? (() => globalThis.document?.visibilityState !== "hidden");
    this.name = name;
    this.databases = databases;
    /** The last errors, for whoever looks for a reason. */
    this.errors = errors;
    this.clock = new Clock(0, (offset) => this.#keep("clock", offset));
    this.http = new Http({
      base,
      ...(world.fetch ? { fetch: world.fetch } : {}),
      lookAtClock: (at) => this.clock.look(at),
    });
    // Tabs without a database in common have nothing to follow: each is connected.
    this.#tabs = new Tabs({ channel: databases.copy.isKept ? channelOf(name, world.channel) : null, isVisible });
    this.#copy = new CopyStore(databases.copy, resources, {
      now: this.now,
      makeRoom: (bytes) => this.images.makeRoom(bytes),
      report,
    });
    this.images = new Images({
      http: this.http,
      pictures: databases.pictures,
      tabs: this.#tabs,
      clock: this.clock,
      report,
    });
    this.#connection = new Connection({
      http: this.http,
      store: this.#copy,
      tabs: this.#tabs,
      report,
      isVisible,
      ...(world.isPolling ? { isPolling: true } : {}),
      ...(world.times ? { times: world.times } : {}),
    });
    this.report = report;
    this.resources = this.#copy.resources;
    this.connection = this.#connection.state;
    this.notices = new Value(/** @type {readonly NoticeSnapshot[]} */ (Object.freeze([])));
    this.shop = new Value(UNKNOWN_SHOP);
    this.device = new Value(/** @type {Device | null} */ (null));
    const records = (/** @type {string} */ store, /** @type {(record: any) => boolean} */ isUsable = () => true) =>
      new Records(databases.own, store, this.#tabs, (bytes) => this.images.makeRoom(bytes), isUsable);
    this.#own = {
      settings: records("settings"),
      favourites: records("favourites"),
      tickets: records("tickets", isTicket),
    };
    this.settings = new Settings(/** @type {any} */ (this.#own.settings));
    this.favourites = new Favourites(/** @type {any} */ (this.#own.favourites));
    this.tickets = new Tickets(/** @type {any} */ (this.#own.tickets), this.#emptyTicket, withMoved);
    const given = { http: this.http, own: databases.own, tabs: this.#tabs, clock: this.clock, report };
    this.outbox = new Outbox({ ...given, images: this.images, device: this.device });
    /** Which pictures are kept for when there is no network, and how many of them are here. */
    this.pictures = new OfflinePictures({
      images: this.images,
      wishes: ofProducts({
        products: /** @type {any} */ (this.resources.product ?? new Resource()),
        favourites: this.favourites,
        settings: this.settings,
      }),
      settings: this.settings,
      connection: this.connection,
      tabs: this.#tabs,
      report,
    });
    this.#follow();
  }

  /** @param {(updates: readonly Update[]) => void} fn what each step did, after it was written; not the loading */
  onUpdates = (fn) => this.#copy.onUpdates((updates) => this.#isOpen && fn(updates));

  /** @param {() => void} fn everything was cleared, here or in another tab */
  onCleared = (fn) => this.#cleared.add(fn);

  /** Milliseconds since 1970, by the server's clock when ours is more than two minutes off. */
  now = () => this.clock.now();

  /** Whether this tab is the one that is connected. */
  get isConnectedTab() {
    return this.#tabs.isConnected();
  }

  /** The history that what is held belongs to; null before the first. */
  get epoch() {
    return this.#copy.held.epoch;
  }

  /** What is held of each resource; null: nothing current. */
  get versions() {
    return { ...this.#copy.held.versions };
  }

  connect() {
    this.#connection.start();
    this.#endings.push(followBrowser(this.#tabs, () => this.#connection.wake()));
  }

  /** Connects now instead of later, also after it was stopped. */
  hurry = () => this.#connection.hurry();

  /**
   * Makes a device of this browser: its cookie comes with the answer. Rejects with Refused (`invalid_code`),
   * ServerUnavailable (`throttled`, with `retryAfter`), …
   *
   * @param {string} code @param {string} name @returns {Promise<Device>}
   */
  async enrol(code, name) {
    const device = await this.http.postJson("/api/devices/enroll", { code, name, cookie: true });
    if (!isDevice(device)) throw new UnexpectedAnswer();
    const enrolled = pick(device, "id", "name", "scopes", "last_seen");
    this.device.set(enrolled);
    this.#keep("device", enrolled);
    this.#tabs.tell("device", enrolled);
    this.hurry();
    return enrolled;
  }

  /** @returns {Promise<StorageUsage>} */
  async usage() {
    const [browser, pictures] = await Promise.all([storageOfBrowser(), this.images.usage()]);
    const data = this.#copy.names.reduce((sum, name) => {
      const rows = this.resources[name]?.getSnapshot() ?? [];
      return sum + rows.reduce((bytes, row) => bytes + JSON.stringify(row).length, 0);
    }, 0);
    return { data, pictures: pictures.bytes, photos: this.outbox.bytes, ...browser };
  }

  /** Empties all three databases, with what exists only here. What the server has is fetched again. */
  async clearEverything() {
    for (const [database, shape] of /** @type {const} */ ([
      [this.databases.pictures, SHAPES.pictures],
      [this.databases.own, SHAPES.own],
      [this.databases.copy, SHAPES.copy],
    ])) {
      const stores = Object.keys(shape.stores);
      await database.write(stores, (tx) => {
        for (const store of stores) tx.clear(store);
      });
    }
    this.#tabs.tell("cleared");
    await this.#wasCleared();
  }

  async close() {
    for (const end of this.#endings.splice(0)) end();
    this.#tabs.stop();
    await this.#connection.close();
    this.pictures.close();
    await this.outbox.close();
    await this.images.close();
    this.#tabs.close();
    for (const database of Object.values(this.databases)) database.close();
  }

  // --- Beginning --------------------------------------------------------------------------------------------------------

  async #load() {
    const own = [...Object.values(this.#own), this.outbox].map((each) => each.load().catch(this.report));
    const kept = this.databases.copy.read("state", (tx) =>
      Promise.all(["clock", "shop", "device"].map((key) => tx.get("state", key))),
    );
    const pictures = this.images.load(); // what is shown is found without it
    const [state] = await Promise.all([kept.catch(() => []), this.#copy.begin(), ...own]);
    const [offset, shop, device] = /** @type {any[]} */ (state);
    if (Number.isFinite(offset)) this.clock.offset = offset;
    if (isShop(shop)) this.shop.set(Object.freeze(shop));
    if (isDevice(device)) this.device.set(Object.freeze(device));
    this.#lookAtNotices();
    this.#isOpen = true;
    pictures.then(() => this.pictures.start());
  }

  #follow() {
    this.#copy.onNews((news) => this.#tabs.tell("step", news));
    this.#tabs.listen("step", (news) => this.#copy.follow(news));
    this.#tabs.listen("shop", (shop) => this.shop.set(shop));
    this.#tabs.listen("device", (device) => {
      this.device.set(device);
      if (device) this.hurry();
    });
    this.#tabs.listen("cleared", () => this.#wasCleared().catch(this.report));
    this.#copy.problem.subscribe(() => this.#lookAtNotices());
    this.#connection.onConnected(() => this.#introduce().catch(this.report));
    let wasLive = false;
    this.connection.subscribe(() => {
      const isLive = this.connection.getSnapshot().state === "live";
      if (isLive && !wasLive) for (const each of [this.images, this.outbox]) each.hurry();
      wasLive = isLive;
    });
  }

  /** Asks whose the server is, and who we are; both are kept. */
  async #introduce() {
    const shop = await this.http.getJson("/api/shop").catch(this.report);
    if (isShop(shop)) this.#learn("shop", this.shop, pick(shop, "name", "time_zone", "currency"));
    try {
      const device = await this.http.getJson("/api/devices/me");
      if (isDevice(device)) this.#learn("device", this.device, pick(device, "id", "name", "scopes", "last_seen"));
    } catch (error) {
      if (error instanceof NotAllowed || error instanceof NotEnrolled) this.#learn("device", this.device, null);
      else throw error;
    }
  }

  /** @template T @param {string} name @param {Value<T>} value @param {T} learnt */
  #learn(name, value, learnt) {
    if (JSON.stringify(learnt) === JSON.stringify(value.getSnapshot())) return;
    value.set(learnt);
    this.#keep(name, learnt);
    this.#tabs.tell(name, learnt);
  }

  /** @param {string} name @param {any} value */
  #keep(name, value) {
    this.databases?.copy.write("state", (tx) => tx.put("state", value, name)).catch(this.report);
  }

  async #wasCleared() {
    await Promise.all([
      this.#copy.load({ wasCleared: true }),
      this.images.reset(),
      this.outbox.load(),
      ...Object.values(this.#own).map((records) => records.load()),
    ]);
    this.pictures.hurry();
    this.#cleared.tell();
    this.#connection.restart();
  }

  #emptyTicket = (/** @type {string} */ id) =>
    emptyTicket(
      id === COUNTER ? null : /** @type {any} */ (this.resources.dining_table?.get(id) ?? { id, name: "", zone: null }),
    );

  #lookAtNotices() {
    const problem = this.#copy.problem.getSnapshot();
    const { own, copy } = this.databases;
    const notices = [];
    if (!own.isKept || !copy.isKept) notices.push({ name: "nothing-kept", detail: "" });
    if (problem instanceof StorageFull) notices.push({ name: "storage-full", detail: problem.message });
    else if (problem) notices.push({ name: "storage-failed", detail: String(problem) });
    if (JSON.stringify(notices) !== JSON.stringify(this.notices.getSnapshot()))
      this.notices.set(Object.freeze(notices));
  }
}

/** @param {string} name @param {(error: unknown) => void} report */
async function openAll(name, report) {
  const [copy, pictures, own] = await Promise.all([
    openDatabase(`${name}-copy`, SHAPES.copy, report),
    openDatabase(`${name}-pictures`, SHAPES.pictures, report),
    openDatabase(`${name}-own`, SHAPES.own, report),
  ]);
  return { copy, pictures, own };
}

/** @param {any} shop @returns {shop is Shop} */
const isShop = (shop) => ["name", "time_zone", "currency"].every((key) => typeof shop?.[key] === "string");

/** @param {any} device @returns {device is Device} */
const isDevice = (device) => typeof device?.id === "string" && Array.isArray(device.scopes);

/** @param {any} from @param {string[]} keys @returns {any} */
const pick = (from, ...keys) => Object.freeze(Object.fromEntries(keys.map((key) => [key, from[key] ?? null])));
