// What is in memory for whoever shows it: stores with `subscribe` and `getSnapshot`, and one of them for each resource.

/** @import { Row, Store, Unsubscribe } from "./types.js" */

/** Functions to call. What one of them throws stops nobody else, and is reported as any error that nobody caught. */
export class Listeners {
  /** @type {Set<{fn: (of: any) => void}>} */ #all = new Set();

  /** @param {(of: any) => void} fn @returns {Unsubscribe} */
  add(fn) {
    const entry = { fn }; // the same function may be added twice
    this.#all.add(entry);
    return () => void this.#all.delete(entry);
  }

  /** @param {any} [of] */
  tell(of) {
    for (const entry of [...this.#all]) {
      if (!this.#all.has(entry)) continue; // ended by one before it
      try {
        entry.fn(of);
      } catch (error) {
        if (globalThis.reportError) globalThis.reportError(error);
        else console.error(error);
      }
    }
  }

  get isEmpty() {
    return this.#all.size === 0;
  }
}

/**
 * One value that is replaced as a whole.
 *
 * @template T
 * @implements {Store<T>}
 */
export class Value {
  #listeners = new Listeners();
  /** @type {T} */ #value;

  /** @param {T} value */
  constructor(value) {
    this.#value = value;
  }

  /** @param {() => void} fn */
  subscribe = (fn) => this.#listeners.add(fn);

  getSnapshot = () => this.#value;

  /** @param {T} value */
  set(value) {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    this.#listeners.tell();
  }
}

/** One resource: all of its objects, by id. */
export class Resource {
  #listeners = new Listeners();
  /** @type {Map<string, Listeners>} */ #byId = new Map();
  /** @type {Map<string, Row>} */ #rows = new Map();
  /** @type {readonly Row[] | null} null: to be made when somebody asks */ #all = [];

  /** @param {() => void} fn */
  subscribe = (fn) => this.#listeners.add(fn);

  /** All objects, by id; the same list until one of them changed. @returns {readonly Row[]} */
  getSnapshot = () => {
    this.#all ??= Object.freeze([...this.#rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1)));
    return this.#all;
  };

  /** @param {string} id @returns {Row | undefined} the same object until it changed */
  get = (id) => this.#rows.get(id);

  /** @param {string} id @param {() => void} fn @returns {Unsubscribe} */
  subscribeTo = (id, fn) => {
    const listeners = this.#byId.get(id) ?? new Listeners();
    this.#byId.set(id, listeners);
    const end = listeners.add(fn);
    return () => {
      end();
      if (listeners.isEmpty && this.#byId.get(id) === listeners) this.#byId.delete(id);
    };
  };

  get size() {
    return this.#rows.size;
  }

  /**
   * Takes what a step did, and tells of it when all is in place.
   *
   * @param {readonly {id: string, data: Row | null}[]} changes null: it is gone @returns {() => void} tells
   */
  take(changes) {
    const all = this.#all;
    this.#all = null;
    if (all && changes.length <= 32) this.#all = patched(all, changes);
    for (const { id, data } of changes) {
      if (data) this.#rows.set(id, data);
      else this.#rows.delete(id);
    }
    return () => {
      for (const { id } of changes) this.#byId.get(id)?.tell();
      this.#listeners.tell();
    };
  }
}

/**
 * The list after a few changes: sorting 20,000 objects anew for each of them would take longer than to show it.
 *
 * @param {readonly Row[]} all
 * @param {readonly {id: string, data: Row | null}[]} changes
 */
function patched(all, changes) {
  const list = [...all];
  for (const { id, data } of changes) {
    let [low, high] = [0, list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (/** @type {Row} */ (list[middle]).id < id) low = middle + 1;
      else high = middle;
    }
    const isThere = list[low]?.id === id;
    if (data) list.splice(low, isThere ? 1 : 0, data);
    else if (isThere) list.splice(low, 1);
  }
  return Object.freeze(list);
}
