// What exists only here, beside settings and photos: favourites and tickets.

import { withMoved } from "./prices/ticket.js";

/** @import { Id, Ticket } from "./types.js" */
/** @import { Records } from "./records.js" */

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

  /** @param {Records<Ticket>} records @param {(id: string) => Ticket} emptyOf what a new one is */
  constructor(records, emptyOf) {
    this.records = records;
    this.#emptyOf = emptyOf;
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
      return [null, kept(moved ? withMoved(target, moved) : target)];
    });
    return ticket ?? this.get(to);
  };
}

/** @param {Ticket} ticket */
const kept = (ticket) => (ticket.lines.length ? ticket : null);
