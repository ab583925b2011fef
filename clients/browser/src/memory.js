// A database in memory, with the promises of one that is kept but that one: for browsers without IndexedDB, and for
// tests, which carry its dump from one life to the next.

/** @import { Database, Key, Range, Transaction } from "./types.js" */
/** @import { Shape } from "./database.js" */

/** @typedef {Map<string, {key: Key, value: any}>} Entries  by their keys as text */

/** @implements {Database} */
export class MemoryDatabase {
  isKept = false;
  /** @type {Shape} */ #shape;
  /** @type {Map<string, Entries>} */ #stores;
  /** @type {Promise<unknown>} */ #turn = Promise.resolve();

  /** @param {string} name @param {Shape} shape */
  constructor(name, shape) {
    this.name = name;
    this.#shape = shape;
    this.#stores = new Map(Object.keys(shape.stores).map((store) => [store, new Map()]));
  }

  /** @template T @param {string | string[]} _stores @param {(tx: Transaction) => Promise<T> | T} work @returns {Promise<T>} */
  read(_stores, work) {
    return this.#inTurn(async () => await work(new MemoryTransaction(this.#stores, this.#shape)));
  }

  /** @template T @param {string | string[]} stores @param {(tx: Transaction) => Promise<T> | T} work @returns {Promise<T>} */
  write(stores, work) {
    return this.#inTurn(async () => {
      const written = new Map(this.#stores);
      for (const store of [stores].flat()) written.set(store, new Map(this.#stores.get(store)));
      const result = await work(new MemoryTransaction(written, this.#shape));
      this.#stores = written;
      return result;
    });
  }

  close() {}

  /** What is in it, as arrays of `[key, value]` by the names of the stores. */
  dump() {
    return Object.fromEntries(
      [...this.#stores].map(([store, entries]) => [store, [...entries.values()].map(({ key, value }) => [key, value])]),
    );
  }

  /** @param {Record<string, [Key, any][]>} dump */
  restore(dump) {
    for (const [store, entries] of Object.entries(dump))
      this.#stores.set(store, new Map(entries.map(([key, value]) => [JSON.stringify(key), { key, value }])));
  }

  /** @template T @param {() => Promise<T>} work @returns {Promise<T>} */
  #inTurn(work) {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

/** @implements {Transaction} */
class MemoryTransaction {
  /** @type {Map<string, Entries>} */ #stores;
  /** @type {Shape} */ #shape;

  /** @param {Map<string, Entries>} stores @param {Shape} shape */
  constructor(stores, shape) {
    this.#stores = stores;
    this.#shape = shape;
  }

  /** @param {string} store @param {Key} key */
  async get(store, key) {
    return structuredClone(this.#of(store).get(JSON.stringify(key))?.value);
  }

  /** @param {string} store @param {Range} [range] @param {number} [count] */
  async getAll(store, range, count) {
    return this.#found(store, range, count).map(({ value }) => structuredClone(value));
  }

  /** @param {string} store @param {Range} [range] @param {number} [count] */
  async getAllKeys(store, range, count) {
    return this.#found(store, range, count).map(({ key }) => key);
  }

  /** @param {string} store @param {string} index @param {Range} [range] @param {number} [count] */
  async getAllByIndex(store, index, range = {}, count = Infinity) {
    const path = this.#shape.stores[store]?.indexes?.[index] ?? "";
    return [...this.#of(store).values()]
      .filter(({ value }) => value[path] !== undefined && isWithin(value[path], range))
      .sort((a, b) => compare(a.value[path], b.value[path]) || compare(a.key, b.key))
      .slice(0, count)
      .map(({ value }) => structuredClone(value));
  }

  /** @param {string} store @param {Range} [range] */
  async count(store, range) {
    return range ? this.#found(store, range).length : this.#of(store).size;
  }

  /** @param {string} store @param {any} value @param {Key} [key] */
  put(store, value, key) {
    const path = this.#shape.stores[store]?.keyPath;
    const under = path ? value[path] : key;
    if (under === undefined) throw new TypeError(`no key for ${store}`);
    this.#of(store).set(JSON.stringify(under), { key: under, value: structuredClone(value) });
  }

  /** @param {string} store @param {Key | Range} key */
  delete(store, key) {
    if (typeof key !== "object" || Array.isArray(key)) this.#of(store).delete(JSON.stringify(key));
    else for (const found of this.#found(store, key)) this.#of(store).delete(JSON.stringify(found.key));
  }

  /** @param {string} store */
  clear(store) {
    this.#of(store).clear();
  }

  /** @param {string} store */
  #of(store) {
    const entries = this.#stores.get(store);
    if (!entries) throw new TypeError(`no store ${store}`);
    return entries;
  }

  /** @param {string} store @param {Range} [range] @param {number} [count] */
  #found(store, range = {}, count = Infinity) {
    return [...this.#of(store).values()]
      .filter(({ key }) => isWithin(key, range))
      .sort((a, b) => compare(a.key, b.key))
      .slice(0, count);
  }
}

/** @param {Key} key @param {Range} range */
function isWithin(key, { from, after, to, before }) {
  return (
    (from === undefined || compare(key, from) >= 0) &&
    (after === undefined || compare(key, after) > 0) &&
    (to === undefined || compare(key, to) <= 0) &&
    (before === undefined || compare(key, before) < 0)
  );
}

/** In the order of IndexedDB: numbers, then texts, then lists. @param {any} a @param {any} b @returns {number} */
function compare(a, b) {
  const rank = (/** @type {any} */ key) => (Array.isArray(key) ? 2 : typeof key === "string" ? 1 : 0);
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (!Array.isArray(a)) return a < b ? -1 : a > b ? 1 : 0;
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const order = compare(a[i], b[i]);
    if (order) return order;
  }
  return a.length - b.length;
}
