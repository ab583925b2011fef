// Records that are in a database and in memory. Each change is a transaction of its own that begins from what is stored,
// so two tabs may change the same one after the other, and each sees what the other did.

import { StorageFailed, StorageFull } from "./errors.js";
import { Listeners } from "./resources.js";

/** @import { Database, Tabs, Transaction, Unsubscribe } from "./types.js" */

const ROOM = 256 * 1024; // bytes; a ticket is some kilobytes

/**
 * The records of one store, all in memory as well.
 *
 * @template {{id: string}} R
 */
export class Records {
  /** @type {Map<string, R>} */ #records = new Map();
  /** @type {readonly R[] | null} */ #all = null;
  #listeners = new Listeners();
  /** @type {Map<string, Listeners>} */ #byId = new Map();

  /**
   * @param {Database} database @param {string} store @param {Tabs} tabs
   * @param {(bytes: number) => Promise<number>} [makeRoom] on a full disk, by what can be fetched again
   * @param {(record: any) => boolean} [isUsable] what isn't is shown by nobody, and stays on the disk
   */
  constructor(database, store, tabs, makeRoom = async () => 0, isUsable = () => true) {
    this.database = database;
    this.store = store;
    this.tabs = tabs;
    this.makeRoom = makeRoom;
    this.isUsable = isUsable;
    this.topic = `${database.name} ${store}`;
    tabs.listen(this.topic, (id) => this.#reread(id).catch(() => {}));
  }

  /** Rejects with StorageFailed when some can't be used; the others are there. */
  async load() {
    const read = await this.database.read(this.store, (tx) => tx.getAll(this.store));
    const good = read.filter(this.isUsable);
    this.#records = new Map(good.map((record) => [record.id, record]));
    this.#told([...this.#records.keys(), ...this.#byId.keys()]);
    if (good.length < read.length)
      throw new StorageFailed(`${read.length - good.length} of ${this.store} can't be used`);
  }

  /** @param {() => void} fn */
  subscribe = (fn) => this.#listeners.add(fn);

  /** @returns {readonly R[]} by id */
  getSnapshot = () => {
    this.#all ??= Object.freeze([...this.#records.values()].sort((a, b) => (a.id < b.id ? -1 : 1)));
    return this.#all;
  };

  /** @param {string} id @returns {R | undefined} */
  get = (id) => this.#records.get(id);

  /** @param {string} id @param {() => void} fn @returns {Unsubscribe} */
  subscribeTo = (id, fn) => {
    const listeners = this.#byId.get(id) ?? new Listeners();
    this.#byId.set(id, listeners);
    return listeners.add(fn);
  };

  /**
   * Changes some records together. Rejects with what the storage says; then nothing changed.
   *
   * @param {readonly string[]} ids
   * @param {(stored: (R | null)[]) => (R | null)[]} change what is stored to what is to be; null: there is none
   * @param {{stores?: string[], also?: (tx: Transaction) => Promise<void> | void, room?: number}} [more] of the same
   *   transaction; `room` in bytes
   */
  async change(ids, change, { stores = [], also = () => {}, room = ROOM } = {}) {
    const write = () =>
      this.database.write([this.store, ...stores], async (tx) => {
        const stored = await Promise.all(ids.map((id) => tx.get(this.store, id)));
        for (const record of stored) if (record && !this.isUsable(record)) tx.put(this.store, aside(record));
        const wanted = change(stored.map((record) => (record && this.isUsable(record) ? record : null)));
        wanted.forEach((record, at) => {
          if (record) tx.put(this.store, record);
          else tx.delete(this.store, /** @type {string} */ (ids[at]));
        });
        await also(tx);
        return wanted;
      });
    const changed = await write().catch(async (error) => {
      if (!(error instanceof StorageFull) || !(await this.makeRoom(room))) throw error;
      return await write();
    });
    changed.forEach((record, at) => {
      this.#set(/** @type {string} */ (ids[at]), record);
    });
    this.#told(ids);
    for (const id of ids) this.tabs.tell(this.topic, id);
    return changed;
  }

  /** Another tab changed it. @param {string | null} id null: all of them */
  async #reread(id) {
    if (id === null) return await this.load();
    const record = await this.database.read(this.store, (tx) => tx.get(this.store, id));
    this.#set(id, record && this.isUsable(record) ? record : null);
    this.#told([id]);
  }

  /** @param {string} id @param {R | null} record */
  #set(id, record) {
    if (record) this.#records.set(id, record);
    else this.#records.delete(id);
    this.#all = null;
  }

  /** @param {Iterable<string>} ids */
  #told(ids) {
    this.#all = null;
    for (const id of new Set(ids)) this.#byId.get(id)?.tell();
    this.#listeners.tell();
  }
}

/** What can't be used makes room for what can: whoever helps finds it under another id. @param {any} record */
const aside = (record) => ({ id: `unusable ${record.id} ${Date.now()}`, record });

export class Settings {
  /** @type {Readonly<Record<string, any>> | null} */ #all = null;

  /** @param {Records<{id: string, value: any}>} records */
  constructor(records) {
    this.records = records;
    records.subscribe(() => {
      this.#all = null;
    });
  }

  /** @param {() => void} fn */
  subscribe = (fn) => this.records.subscribe(fn);

  getSnapshot = () => {
    this.#all ??= Object.freeze(Object.fromEntries(this.records.getSnapshot().map(({ id, value }) => [id, value])));
    return this.#all;
  };

  /** @param {string} name @param {any} value undefined: as if it had never been set */
  set = async (name, value) => {
    await this.records.change([name], () => [value === undefined ? null : { id: name, value }]);
  };
}
