// What changed of the products, as a waiter would say it: the newest first, and which cards are marked. No DOM in here.

/** @import { Product, Terminal, Update } from "../../src/types.js" */

/**
 * @typedef {"new" | "gone" | "price" | "sold-out" | "back" | "picture" | "name" | "other"} What
 * @typedef {{what: What, from?: string, to?: string}} Difference
 * @typedef {{product: string, name: string, at: number, differences: readonly Difference[]}} Changed
 */

const KEPT = 100;
const MARKED = 2000; // ms

/**
 * @param {Product | null} before
 * @param {Product | null} after
 * @returns {Difference[]} nothing when it isn't on the menu before and after
 */
export function differences(before, after) {
  const [was, is] = [before && before.is_active !== false, after && after.is_active !== false];
  if (!was && !is) return [];
  if (!was || !before) return [{ what: "new" }];
  if (!is || !after) return [{ what: "gone" }];
  /** @type {Difference[]} */
  const found = [];
  if (before.price !== after.price) found.push({ what: "price", from: before.price, to: after.price });
  if (Boolean(before.is_sold_out) !== Boolean(after.is_sold_out)) {
    found.push({ what: after.is_sold_out ? "sold-out" : "back" });
  }
  if (before.name !== after.name) found.push({ what: "name", from: before.name, to: after.name });
  if (before.image !== after.image) found.push({ what: "picture" });
  return found.length || isSame(before, after) ? found : [{ what: "other" }];
}

/**
 * Whether both say the same, whenever they were written.
 * @param {Record<string, any>} one
 * @param {Record<string, any>} other
 */
const isSame = (one, other) =>
  JSON.stringify({ ...one, updated_at: "" }) === JSON.stringify({ ...other, updated_at: "" });

/** A store: the changes since this page was opened. */
export class Changes {
  /** @type {readonly Changed[]} */
  #changed = [];
  /** @type {Map<string, number>} */
  #marked = new Map();
  /** @type {Set<(fresh: readonly Changed[]) => void>} */
  #fns = new Set();

  /** @param {Pick<Terminal, "onUpdates" | "now" | "resources">} terminal */
  constructor(terminal) {
    this.terminal = terminal;
    this.close = terminal.onUpdates((updates) => this.#take(updates));
  }

  /** @param {(fresh: readonly Changed[]) => void} fn is told what came last */
  subscribe = (fn) => {
    this.#fns.add(fn);
    return () => void this.#fns.delete(fn);
  };

  getSnapshot = () => this.#changed;

  /** How many milliseconds more a product's card is marked; 0: it isn't. @param {string} product */
  markedFor(product) {
    const until = this.#marked.get(product);
    const left = until === undefined ? 0 : until - Date.now();
    if (until !== undefined && left <= 0) this.#marked.delete(product);
    return left > 0 && left <= MARKED ? left : 0;
  }

  /** @param {readonly Update[]} updates */
  #take(updates) {
    const at = this.terminal.now();
    const fresh = updates
      .filter((update) => update.resource === "product")
      .map(({ id, before, data }) => {
        const [was, is] = /** @type {(Product | null)[]} */ ([before, data]);
        return { product: id, name: (is ?? was)?.name ?? "", at, differences: differences(was, is) };
      })
      .filter((changed) => changed.differences.length);
    // What comes first, into an empty copy, isn't news.
    const created = updates.filter(({ resource, action }) => resource === "product" && action === "created").length;
    const isFirst = created > 1 && created === this.terminal.resources.product.size;
    if (!fresh.length || isFirst) return;
    for (const { product } of fresh) this.#marked.set(product, Date.now() + MARKED);
    this.#changed = [...fresh.slice(-KEPT).reverse(), ...this.#changed].slice(0, KEPT);
    for (const fn of [...this.#fns]) fn(fresh);
  }
}
