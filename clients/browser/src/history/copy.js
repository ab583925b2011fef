// What this device has of a history: its items, in memory and in the database, and up to which version they are.

import { StorageFull } from "../errors.js";
import { Listeners, Resource, Value } from "../resources.js";

/** @import { Database, Row, Tabs } from "../types.js" */

/** @typedef {{readonly epoch: string | null, readonly version: number}} Held */
/** @typedef {{epoch: string, version: number, head: number, owner: number, items: Row[], deleted: string[]}} Changes */

/** @type {Held} */
export const NOTHING = Object.freeze({ epoch: null, version: 0 });

const ROOM = 1024 * 1024; // bytes; an item is one kilobyte

export class HistoryCopy {
  items = new Resource();
  /** Why what is new can't be kept on this device; null: it can. */
  problem = new Value(/** @type {Error | null} */ (null));
  /** @type {Held} */ held = NOTHING;
  /** @type {number | null} ms, when it was last known to be the server's */ asOf = null;
  #isShown = false;
  #isBehind = false; // the database, since it couldn't be written
  #gone = new Listeners();

  /**
   * @param {Database} database with the stores `state` and `items`
   * @param {object} given
   * @param {Tabs} given.tabs
   * @param {(error: unknown) => void} given.report
   * @param {(bytes: number) => Promise<number>} given.makeRoom on a full disk, by what can be fetched again
   */
  constructor(database, { tabs, report, makeRoom }) {
    this.database = database;
    this.tabs = tabs;
    this.report = report;
    this.makeRoom = makeRoom;
    this.topic = `${database.name} written`;
    tabs.listen(this.topic, () => this.#read().catch(report));
  }

  /** @param {(rows: readonly Row[]) => void} fn items that were deleted, as they were */
  onGone = (fn) => this.#gone.add(fn);

  /**
   * Reads what is kept. It is shown at once when the server said under this very login that it is its own; else after
   * `show`.
   *
   * @param {string} login a name of the present login; empty: unknown
   */
  async load(login) {
    const [held, asOf, known] = await this.database.read("state", (tx) =>
      Promise.all(["held", "asOf", "login"].map((key) => tx.get("state", key))),
    );
    if (Number.isFinite(asOf)) this.asOf = asOf;
    this.#isShown = login !== "" && known === login;
    await this.#read();
    if (isHeld(held)) this.held = Object.freeze(held);
  }

  /**
   * The server said that it belongs to this login.
   *
   * @param {string} login @param {Held} from what was asked from @returns {Promise<boolean>} whether that is still held
   */
  async show(login, from) {
    if (this.#isShown) return true;
    this.#isShown = true;
    await this.#read().catch((error) => {
      this.report(error);
      this.held = NOTHING; // and all of it comes again
    });
    await this.database.write("state", (tx) => tx.put("state", login, "login")).catch(this.report);
    return from.version === 0 || from.version === this.held.version;
  }

  /** Somebody else may be logged in: nothing is shown until the server says whose it is. */
  hide() {
    this.#isShown = false;
    this.#replace([]);
  }

  /**
   * Takes an answer of `/api/history/sync` to what was asked from `from`; from version 0 it is everything. When another
   * tab has written meanwhile, what that one wrote is read instead.
   *
   * @param {Held} from @param {Changes} changes
   */
  async apply(from, { epoch, version, items, deleted }) {
    const isWhole = from.version === 0;
    const held = Object.freeze({ epoch, version });
    const isKept = await this.#write(async (tx) => {
      const stored = (await tx.get("state", "held")) ?? NOTHING;
      const isOlder = stored.epoch === epoch && stored.version > version;
      const isOther = stored.epoch !== from.epoch || stored.version !== from.version;
      if (!this.#isBehind && (isWhole ? isOlder : isOther)) return false;
      if (isWhole || this.#isBehind) tx.clear("items");
      for (const item of this.#isBehind && !isWhole ? [...this.items.getSnapshot(), ...items] : items)
        tx.put("items", item);
      for (const id of deleted) tx.delete("items", id);
      tx.put("state", held, "held");
      return true;
    });
    if (isKept === false) return await this.#read();
    this.held = held;
    if (isWhole) this.#replace(items);
    else this.#change([...items.map((data) => ({ id: data.id, data })), ...deleted.map((id) => ({ id, data: null }))]);
    this.tabs.tell(this.topic, null);
  }

  /** It is the server's, as of now. @param {number} now ms */
  async seen(now) {
    this.asOf = now;
    await this.database.write("state", (tx) => tx.put("state", now, "asOf")).catch(this.report);
  }

  /** What the server answered to a change of this item, before the history says so; null: it is gone. @param {string} id @param {Row | null} data */
  async take(id, data) {
    this.#change([{ id, data }]);
    await this.#write((tx) => {
      if (this.#isBehind) return;
      if (data) tx.put("items", data);
      else tx.delete("items", id);
    });
    this.tabs.tell(this.topic, null);
  }

  /**
   * What couldn't be written is in memory, and all of it is written with the next step.
   *
   * @template T @param {(tx: import("../types.js").Transaction) => Promise<T> | T} work
   * @returns {Promise<T | null>} null when it couldn't
   */
  async #write(work) {
    const write = () => this.database.write(["state", "items"], work);
    try {
      const done = await write().catch(async (error) => {
        if (!(error instanceof StorageFull) || !(await this.makeRoom(ROOM))) throw error;
        return await write();
      });
      if (done !== undefined) {
        this.#isBehind = false;
        this.problem.set(null);
      }
      return done;
    } catch (error) {
      this.#isBehind = true;
      this.problem.set(/** @type {Error} */ (error));
      this.report(error);
      return null;
    }
  }

  /** From the database: at the start, and when another tab has written. */
  async #read() {
    if (!this.#isShown || this.#isBehind) return;
    const [held, items] = await this.database.read(["state", "items"], (tx) =>
      Promise.all([tx.get("state", "held"), tx.getAll("items")]),
    );
    if (isHeld(held)) this.held = Object.freeze(held);
    this.#replace(items);
  }

  /** @param {readonly Row[]} items all there are */
  #replace(items) {
    const ids = new Set(items.map(({ id }) => id));
    const gone = this.items.getSnapshot().filter(({ id }) => !ids.has(id));
    const isNew = (/** @type {Row} */ item) => JSON.stringify(this.items.get(item.id)) !== JSON.stringify(item);
    this.#change([
      ...items.filter(isNew).map((data) => ({ id: data.id, data })),
      ...gone.map(({ id }) => ({ id, data: null })),
    ]);
  }

  /** @param {{id: string, data: Row | null}[]} changes */
  #change(changes) {
    const gone = changes.flatMap(({ id, data }) => (data ? [] : (this.items.get(id) ?? [])));
    const tell = this.items.take(changes.map(({ id, data }) => ({ id, data: data && Object.freeze(data) })));
    if (changes.length) tell();
    if (gone.length && this.#isShown) this.#gone.tell(gone);
  }
}

/** @param {any} held @returns {held is Held} */
const isHeld = (held) => typeof held?.epoch === "string" && Number.isSafeInteger(held.version);
