// The three databases, each in IndexedDB, or in memory where there is none. Every wait on the browser has an end.
//
//   <name>-copy      what the server has; may be dropped and fetched again
//   <name>-pictures  bytes apart from their records; may be dropped, too
//   <name>-own       what exists only here: never dropped by us, and its shape only grows

import { deleteDB, openDB, unwrap } from "../vendor/idb.js";
import { StorageFailed, StorageFull } from "./errors.js";

/** @import { IDBPDatabase, IDBPTransaction } from "../vendor/idb.js" */
/** @import { BrowserStorage, Database, Key, Range, Transaction } from "./types.js" */

/**
 * `stores`: of each its key path (null: keys are given), and its indexes by name.
 *
 * @typedef {object} Shape
 * @property {number} version one more for each change
 * @property {boolean} isCopy whether it may be dropped
 * @property {Record<string, {keyPath?: string | null, indexes?: Record<string, string>}>} stores
 */

/** @satisfies {Record<string, Shape>} */
export const SHAPES = {
  copy: { version: 1, isCopy: true, stores: { state: {}, objects: {} } },
  pictures: {
    version: 1,
    isCopy: true,
    stores: { records: { keyPath: "key" }, bytes: {}, claims: {} },
  },
  own: {
    version: 1,
    isCopy: false,
    stores: {
      tickets: { keyPath: "id" },
      settings: { keyPath: "id" },
      favourites: { keyPath: "id" },
      outbox: { keyPath: "id" },
      outbox_bytes: {},
    },
  },
};

const OPENING = 5_000; // ms; a browser that needs longer is stuck
const READING = 10_000;
const WRITING = 30_000;

/**
 * Never rejects: what can't be opened is in memory, and says so by `isKept`.
 *
 * @param {string} name @param {Shape} shape @param {(error: unknown) => void} [report] @returns {Promise<Database>}
 */
export async function openDatabase(name, shape, report = () => {}) {
  try {
    return new KeptDatabase(name, shape, await open(name, shape, report), report);
  } catch (error) {
    report(error);
    const { MemoryDatabase } = await import("./memory.js"); // few browsers need it
    return new MemoryDatabase(name, shape);
  }
}

/** @returns {Promise<BrowserStorage>} */
export async function storageOfBrowser() {
  const storage = globalThis.navigator?.storage;
  const [estimate, isPersistent] = await Promise.all([
    storage?.estimate?.().catch(() => null) ?? null,
    storage?.persisted?.().catch(() => null) ?? null,
  ]);
  const { usage: used = null, quota = null } = estimate ?? {};
  return { used, quota, isPersistent };
}

/** @param {string} name @param {Shape} shape @param {(error: unknown) => void} report */
async function open(name, shape, report) {
  if (!globalThis.indexedDB) throw new StorageFailed("this browser has no IndexedDB, or keeps it closed");
  try {
    return await openOnce(name, shape);
  } catch (error) {
    if (!shape.isCopy || error instanceof Stuck) throw error;
    report(error);
    await inTime(deleteDB(name), OPENING);
    return await openOnce(name, shape);
  }
}

/** @param {string} name @param {Shape} shape */
async function openOnce(name, shape) {
  let db = await openVersion(name, shape, shape.version).catch((error) => {
    if (error?.name === "VersionError") return openVersion(name, shape); // a newer build was here: its shape has ours
    throw error;
  });
  if (lacking(db, shape).length && !shape.isCopy) {
    const next = db.version + 1;
    db.close();
    db = await openVersion(name, shape, next);
  }
  if (!lacking(db, shape).length) return db;
  db.close();
  throw new StorageFailed(`${name} lacks ${lacking(db, shape)}`);
}

/** @param {string} name @param {Shape} shape @param {number} [version] */
function openVersion(name, shape, version) {
  const opening = openDB(name, version, {
    upgrade(db, from, _to, tx) {
      if (shape.isCopy && from) for (const store of db.objectStoreNames) db.deleteObjectStore(store);
      for (const [name, { keyPath = null, indexes = {} }] of Object.entries(shape.stores)) {
        const exists = db.objectStoreNames.contains(name);
        const store = exists ? tx.objectStore(name) : db.createObjectStore(name, { keyPath });
        for (const [index, path] of Object.entries(indexes))
          if (!store.indexNames.contains(index)) store.createIndex(index, path);
      }
    },
    // Another tab wants to grow or to drop it. What we need next opens it again.
    blocking: (_current, _blocked, event) => /** @type {IDBDatabase} */ (event.target).close(),
  });
  return inTime(opening, OPENING, (db) => db.close());
}

/** @param {IDBPDatabase<any>} db @param {Shape} shape */
const lacking = (db, shape) => Object.keys(shape.stores).filter((name) => !db.objectStoreNames.contains(name));

/** The browser doesn't answer. */
class Stuck extends StorageFailed {}

/**
 * @template T
 * @param {Promise<T>} wait @param {number} milliseconds @param {(late: T) => void} [dispose] of what comes too late
 * @returns {Promise<T>}
 */
export async function inTime(wait, milliseconds, dispose = () => {}) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let isOver = false;
  const end = new Promise((_, reject) => {
    timer = setTimeout(() => {
      isOver = true;
      reject(new Stuck(`the browser's storage didn't answer within ${milliseconds / 1000} s`));
    }, milliseconds);
  });
  wait.then((late) => isOver && dispose(late)).catch(() => {});
  try {
    return await /** @type {Promise<T>} */ (Promise.race([wait, end]));
  } finally {
    clearTimeout(timer);
  }
}

/** @implements {Database} */
class KeptDatabase {
  isKept = true;
  /** @type {Promise<IDBPDatabase<any>> | null} */ #db;
  /** @type {Shape} */ #shape;
  /** @type {(error: unknown) => void} */ #report;

  /** @param {string} name @param {Shape} shape @param {IDBPDatabase<any>} db @param {(error: unknown) => void} report */
  constructor(name, shape, db, report) {
    this.name = name;
    this.#shape = shape;
    this.#db = Promise.resolve(db);
    this.#report = report;
  }

  /** @template T @param {string | string[]} stores @param {(tx: Transaction) => Promise<T> | T} work */
  read(stores, work) {
    return this.#run(stores, "readonly", work);
  }

  /** @template T @param {string | string[]} stores @param {(tx: Transaction) => Promise<T> | T} work */
  write(stores, work) {
    return this.#run(stores, "readwrite", work);
  }

  close() {
    this.#db?.then((db) => db.close()).catch(() => {});
  }

  /**
   * @template T
   * @param {string | string[]} stores @param {IDBTransactionMode} mode
   * @param {(tx: Transaction) => Promise<T> | T} work @returns {Promise<T>}
   */
  async #run(stores, mode, work) {
    let tx = null;
    try {
      tx = await this.#begin(stores, mode);
    } catch (error) {
      // Safari, a phone that slept, another tab that dropped it: the connection is gone, the database isn't.
      this.#report(error);
      this.#reopen();
      tx = await this.#begin(stores, mode).catch((error) => {
        throw asStorageError(error);
      });
    }
    return await this.#carry(tx, mode, work);
  }

  /** @param {string | string[]} stores @param {IDBTransactionMode} mode */
  async #begin(stores, mode) {
    this.#db ??= open(this.name, this.#shape, this.#report);
    const db = await this.#db;
    // What exists only here outlives a power cut. The rest can be fetched again.
    return db.transaction(stores, mode, { durability: this.#shape.isCopy ? "relaxed" : "strict" });
  }

  #reopen() {
    this.close();
    this.#db = null;
  }

  /**
   * @template T
   * @param {IDBPTransaction<any, any, IDBTransactionMode>} tx @param {IDBTransactionMode} mode
   * @param {(tx: Transaction) => Promise<T> | T} work @returns {Promise<T>}
   */
  async #carry(tx, mode, work) {
    tx.done.catch(() => {});
    try {
      const limit = mode === "readonly" ? READING : WRITING;
      return await inTime(
        (async () => {
          const result = await work(new KeptTransaction(tx));
          await tx.done;
          return result;
        })(),
        limit,
      );
    } catch (error) {
      if (error instanceof Stuck) this.#reopen();
      try {
        tx.abort();
      } catch {
        // it has ended already
      }
      throw asStorageError(/** @type {any} */ (tx).error ?? error);
    }
  }
}

/** @implements {Transaction} */
class KeptTransaction {
  /** @type {IDBPTransaction<any, any, any>} */ #tx;

  /** @param {IDBPTransaction<any, any, any>} tx */
  constructor(tx) {
    this.#tx = tx;
  }

  /** @param {string} store @param {Key} key */
  get(store, key) {
    return this.#tx.objectStore(store).get(key);
  }

  /** @param {string} store @param {Range} [range] @param {number} [count] */
  getAll(store, range, count) {
    return this.#tx.objectStore(store).getAll(rangeOf(range), count);
  }

  /** @param {string} store @param {Range} [range] @param {number} [count] */
  getAllKeys(store, range, count) {
    return this.#tx.objectStore(store).getAllKeys(rangeOf(range), count);
  }

  /** @param {string} store @param {string} index @param {Range} [range] @param {number} [count] */
  getAllByIndex(store, index, range, count) {
    return this.#tx.objectStore(store).index(index).getAll(rangeOf(range), count);
  }

  /** @param {string} store @param {Range} [range] */
  count(store, range) {
    return this.#tx.objectStore(store).count(rangeOf(range));
  }

  // Without a promise for each: 20,000 of them are a second on a tablet.

  /** @param {string} store @param {any} value @param {Key} [key] */
  put(store, value, key) {
    this.#raw(store).put(value, key);
  }

  /** @param {string} store @param {Key | Range} key */
  delete(store, key) {
    this.#raw(store).delete(
      typeof key === "object" && !Array.isArray(key) ? (rangeOf(key) ?? IDBKeyRange.lowerBound(-Infinity)) : key,
    );
  }

  /** @param {string} store */
  clear(store) {
    this.#raw(store).clear();
  }

  /** @param {string} store @returns {IDBObjectStore} */
  #raw(store) {
    return unwrap(this.#tx.objectStore(store));
  }
}

/** @param {Range} [range] */
function rangeOf({ from, after, to, before } = {}) {
  const [lower, upper] = [from ?? after, to ?? before];
  if (lower === undefined && upper === undefined) return undefined;
  if (lower === undefined) return IDBKeyRange.upperBound(upper, to === undefined);
  if (upper === undefined) return IDBKeyRange.lowerBound(lower, from === undefined);
  return IDBKeyRange.bound(lower, upper, from === undefined, to === undefined);
}

/** @param {any} error */
function asStorageError(error) {
  if (error?.name === "QuotaExceededError") return new StorageFull();
  return error instanceof DOMException ? new StorageFailed(`${error.name}: ${error.message}`) : error;
}
