// Records that are in a database and in memory. Each change is a transaction of its own that begins from what is stored,
// so two tabs may change the same one after the other, and each sees what the other did.

import { StorageFailed, StorageFull } from "./errors.js";
import { Listeners } from "./resources.js";

/** @import { Database, Id, Tabs, Ticket, Transaction, Unsubscribe } from "./types.js" */

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

/** Products, in the order in which they were added. */
export class Favourites {
  /** @type {readonly Id[] | null} */ #all = null;

  /** @param {Records<{id: Id, at: number}>} records */
  constructor(records) {
    this.records = records;
    records.subscribe(() => {
      this.#all = null;
    });
  }

  /** @param {() => void} fn */
  subscribe = (fn) => this.records.subscribe(fn);

  getSnapshot = () => {
    this.#all ??= Object.freeze([...this.records.getSnapshot()].sort((a, b) => a.at - b.at).map(({ id }) => id));
    return this.#all;
  };

  /** @param {Id} id */
  has = (id) => this.records.get(id) !== undefined;

  /** @param {Id} id @param {boolean} on */
  set = async (id, on) => {
    await this.records.change([id], ([stored]) => [on ? (stored ?? { id, at: Date.now() }) : null]);
  };
}

/** One for each table and one for the counter; those without lines aren't kept. */
export class Tickets {
  /** @type {Map<string, Ticket>} */ #empty = new Map();
  /** @type {(id: string) => Ticket} */ #emptyOf;
  /** @type {(ticket: Ticket, moved: Ticket) => Ticket} */ #withMoved;

  /**
   * @param {Records<Ticket>} records
   * @param {(id: string) => Ticket} emptyOf what a new one is
   * @param {(ticket: Ticket, moved: Ticket) => Ticket} withMoved a ticket with the lines of another at its end
   */
  constructor(records, emptyOf, withMoved) {
    this.records = records;
    this.#emptyOf = emptyOf;
    this.#withMoved = withMoved;
  }

  /** @param {() => void} fn */
  subscribe = (fn) => this.records.subscribe(fn);

  getSnapshot = () => this.records.getSnapshot();

  /** @param {string} id of the table, or `counter` @returns {Ticket} */
  get = (id) => {
    const kept = this.records.get(id);
    if (kept) return kept;
    const [before, now] = [this.#empty.get(id), this.#emptyOf(id)];
    if (before && before.zone === now.zone && before.table_name === now.table_name) return before;
    this.#empty.set(id, now);
    return now;
  };

  /** @param {string} id @param {() => void} fn */
  subscribeTo = (id, fn) => this.records.subscribeTo(id, fn);

  /** @param {string} id @param {(ticket: Ticket) => Ticket} change @returns {Promise<Ticket>} */
  change = async (id, change) => {
    const [ticket] = await this.records.change([id], ([stored]) => [kept(change(stored ?? this.#emptyOf(id)))]);
    return ticket ?? this.get(id);
  };

  /** @param {string} id @returns {Promise<Ticket>} what it was */
  clear = async (id) => {
    let was = this.get(id);
    await this.records.change([id], ([stored]) => {
      was = stored ?? was;
      return [null];
    });
    return was;
  };

  /** Puts the lines of one at the end of another. @param {string} from @param {string} to @returns {Promise<Ticket>} */
  move = async (from, to) => {
    if (from === to) return this.get(to);
    const [, ticket] = await this.records.change([from, to], ([moved, stored]) => {
      const target = stored ?? this.#emptyOf(to);
      return [null, kept(moved ? this.#withMoved(target, moved) : target)];
    });
    return ticket ?? this.get(to);
  };
}

/** @param {Ticket} ticket */
const kept = (ticket) => (ticket.lines.length ? ticket : null);
