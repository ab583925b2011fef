// The copy: in memory for whoever reads, and in the database, written in one transaction for each step.

import { StorageFull } from "./errors.js";
import { Listeners, Resource, Value } from "./resources.js";

/** @import { Change, Database, Row, Step, Transaction, Update, Versions } from "./types.js" */

/**
 * What the database holds. `sequence` counts the steps, so that two who write notice each other.
 *
 * @typedef {object} Held
 * @property {string | null} epoch
 * @property {Versions} versions
 * @property {string | null} cursor
 * @property {number} sequence
 * @property {number | null} lastSyncTime when the server was last known to be in step with us (since 1970)
 * @property {Record<string, number>} counts objects of each resource
 */

/** @typedef {{resource: string, action: Change["action"], id: string, data: Row | null}} Effect */
/** @typedef {{held: Held, effects: Effect[] | null}} News  null: too many, read again */

const TOLD_ONE_BY_ONE = 1000; // changes of one step; with more the other tabs read again
const FULL_FOR = 30_000; // ms after which a full disk is tried again
const FAILED_FOR = 2_000; // ms after any other failure

/** @type {Held} */
const NOTHING = Object.freeze({ epoch: null, versions: {}, cursor: null, sequence: 0, lastSyncTime: null, counts: {} });

/** Somebody else wrote meanwhile: what is in memory was read again, and the rules have to begin from it. */
export class Overtaken extends Error {}

export class CopyStore {
  /** @type {Held} */ held = NOTHING;
  /** @type {Record<string, Resource>} */ resources = {};
  /** What keeps it from being kept; null: nothing. @type {Value<unknown>} */
  problem = new Value(/** @type {unknown} */ (null));
  /** @type {Set<string>} resources whose objects on the disk are damaged */ #damaged = new Set();
  /** @type {Map<string, Effect>} what memory has and the disk hasn't */ #unwritten = new Map();
  #isAhead = false; // memory has steps that the disk hasn't
  #onDisk = 0; // the sequence there
  #againAt = 0;
  /** @type {Promise<void>} */ #following = Promise.resolve();
  #updates = new Listeners();
  #news = new Listeners();

  /**
   * @param {Database} database
   * @param {readonly string[]} names of the resources
   * @param {object} more
   * @param {() => number} more.now
   * @param {(bytes: number) => Promise<number>} more.makeRoom evicts what can be fetched again
   * @param {(error: unknown) => void} more.report
   */
  constructor(database, names, { now, makeRoom, report }) {
    this.database = database;
    this.names = names;
    this.now = now;
    this.makeRoom = makeRoom;
    this.report = report;
    for (const name of names) this.resources[name] = new Resource();
  }

  /** @param {(updates: readonly Update[]) => void} fn what each step did, after it was written */
  onUpdates = (fn) => this.#updates.add(fn);

  /** @param {(news: News) => void} fn for the other tabs, after each step that this one wrote */
  onNews = (fn) => this.#news.add(fn);

  /** What the rules begin from: a damaged resource counts for nothing. */
  rulesFrom() {
    const { epoch, cursor, versions } = this.held;
    const followed = Object.entries(versions).filter(([name]) => this.names.includes(name));
    return {
      epoch,
      cursor,
      versions: Object.fromEntries(followed.map(([name, at]) => [name, this.#damaged.has(name) ? null : at])),
      resources: this.names,
    };
  }

  /** Resources of which nothing current is held. */
  get missing() {
    return this.names.filter((name) => typeof this.held.versions[name] !== "number");
  }

  // --- Reading --------------------------------------------------------------------------------------------------------

  /** Reads it for the first time; what other tabs tell meanwhile waits. */
  begin() {
    this.#following = this.load();
    return this.#following;
  }

  /**
   * Reads the whole copy into memory, and tells what is different there. What can't be read begins anew.
   *
   * @param {{wasCleared?: boolean}} [how] whether an empty one is what somebody wanted
   */
  async load({ wasCleared = false } = {}) {
    try {
      await this.#load(wasCleared);
    } catch (error) {
      this.report(error);
      await this.database
        .write(["state", "objects"], (tx) => {
          tx.clear("state");
          tx.clear("objects");
        })
        .catch(this.report);
      this.#replaceAll(NOTHING, new Map());
    }
  }

  /** @param {boolean} wasCleared */
  async #load(wasCleared) {
    const [held, rows] = await this.database.read(["state", "objects"], async (tx) => {
      const rows = this.names.map((name) => tx.getAll("objects", rangeOf(name)));
      return [await tx.get("state", "held"), await Promise.all(rows)];
    });
    if (held !== undefined && !isHeld(held)) throw new Error("the copy's state has no shape");
    if (held === undefined && this.held.sequence && !wasCleared) return this.#keepAll();
    const read = new Map(this.names.map((name, at) => [name, /** @type {any[]} */ (rows[at])]));
    this.#damaged = new Set(this.names.filter((name) => !isWhole(read.get(name) ?? [], held?.counts[name] ?? 0)));
    for (const name of this.#damaged) this.report(new Error(`the copy of ${name} is damaged`));
    this.#replaceAll(held ?? NOTHING, read);
  }

  /** The browser dropped the database under us: the next step writes all that is in memory. */
  #keepAll() {
    this.report(new Error("the copy was dropped by the browser"));
    const all = this.names.flatMap((resource) =>
      (this.resources[resource]?.getSnapshot() ?? []).map((data) => ({ resource, id: data.id, data })),
    );
    this.#remember(all.map((one) => ({ ...one, action: /** @type {const} */ ("created") })));
    this.#onDisk = 0;
  }

  /** @param {Held} held @param {Map<string, any[]>} read */
  #replaceAll(held, read) {
    this.#unwritten.clear();
    this.#isAhead = false;
    this.#onDisk = held.sequence;
    const effects = this.names.flatMap((name) => this.#differences(name, (read.get(name) ?? []).filter(isRow)));
    this.held = held;
    this.#take(effects);
  }

  /** Reads again when another tab wrote since. */
  async refresh() {
    await this.#following;
    const held = await this.database.read("state", (tx) => tx.get("state", "held")).catch(() => null);
    if (held !== null && (held?.sequence ?? 0) !== this.#onDisk) await this.load();
  }

  /** Another tab stands here: reads again when its last step wasn't heard. @param {number} sequence */
  async reach(sequence) {
    await this.#following;
    if (this.held.sequence !== sequence) await this.refresh();
  }

  /** Another tab wrote a step. Reads again when one was missed. @param {News} news */
  follow(news) {
    this.#following = this.#following.then(() => this.#follow(news)).catch(this.report);
    return this.#following;
  }

  /** @param {News} news */
  async #follow({ held, effects }) {
    if (held.epoch === this.held.epoch && Object.keys(held.versions).every((name) => this.#isAt(name, held.versions)))
      return;
    if (!effects || held.sequence !== this.held.sequence + 1) return await this.load();
    this.held = held;
    this.#onDisk = held.sequence;
    this.#take(effects.filter(({ resource }) => this.names.includes(resource)));
  }

  /** @param {string} name @param {Versions} versions */
  #isAt(name, versions) {
    return (this.held.versions[name] ?? -1) >= (versions[name] ?? -1);
  }

  // --- Writing --------------------------------------------------------------------------------------------------------

  /**
   * The whole step in one transaction, then in memory. Rejects with Overtaken.
   *
   * @param {Step} step @param {{isCurrent: boolean}} how whether nothing is missing after it
   */
  async write(step, { isCurrent }) {
    const effects = this.effect(step);
    const sequence = this.held.sequence + 1;
    const lastSyncTime = isCurrent ? this.now() : this.held.lastSyncTime;
    const counts = { ...this.held.counts };
    const held = { epoch: step.epoch, versions: step.versions, cursor: step.cursor, sequence, lastSyncTime, counts };
    for (const { resource, id, data } of effects) {
      const was = this.resources[resource]?.get(id) ? 1 : 0;
      counts[resource] = (counts[resource] ?? 0) + (data ? 1 : 0) - was;
    }
    if (step.replaced !== null) counts[step.replaced] = step.items.length;
    await this.#keep(held, effects, step);
    this.held = held;
    this.#take(effects);
    const isFew = effects.length <= TOLD_ONE_BY_ONE || this.#isAhead || !this.database.isKept;
    this.#news.tell({ held, effects: isFew ? effects : null });
  }

  /**
   * What a step will really change. A snapshot names everything; only what differs from what is held is a change.
   *
   * @param {Step} step @returns {Effect[]}
   */
  effect(step) {
    if (step.replaced !== null) return this.#differences(step.replaced, step.items);
    /** @type {Map<string, Effect>} */
    const latest = new Map();
    for (const { resource, action, id, data } of step.changes) {
      if (action !== "deleted" && !data) continue;
      latest.delete(`${resource} ${id}`);
      latest.set(`${resource} ${id}`, { resource, action, id, data: action === "deleted" ? null : data });
    }
    return [...latest.values()];
  }

  /** The server was heard, and nothing is missing. */
  async noteSync() {
    const held = { ...this.held, lastSyncTime: this.now() };
    this.held = held;
    if (this.#isAhead) return await this.#keep(held, [], { replaced: null, items: [] }); // perhaps there is room now
    await this.database
      .write("state", async (tx) => {
        if ((await tx.get("state", "held"))?.sequence === held.sequence) tx.put("state", held, "held");
      })
      .catch(this.report);
  }

  /** @param {Held} held @param {Effect[]} effects @param {Pick<Step, "replaced" | "items">} step */
  async #keep(held, effects, step) {
    if (this.#isAhead && Date.now() < this.#againAt) return this.#remember(effects);
    const write = () => this.#transaction(held, effects, step);
    try {
      await write().catch(async (error) => {
        if (!(error instanceof StorageFull) || !(await this.makeRoom(sizeOf(effects)))) throw error;
        await write();
      });
      this.#unwritten.clear();
      this.#isAhead = false;
      if (step.replaced !== null) this.#damaged.delete(step.replaced);
      this.problem.set(null);
    } catch (error) {
      if (error instanceof Overtaken) {
        await this.load();
        throw error;
      }
      this.report(error);
      this.#remember(effects);
      this.#againAt = Date.now() + (error instanceof StorageFull ? FULL_FOR : FAILED_FOR);
      this.problem.set(error);
    }
  }

  /** @param {Held} held @param {Effect[]} effects @param {Pick<Step, "replaced" | "items">} step */
  async #transaction(held, effects, step) {
    await this.database.write(["state", "objects"], async (tx) => {
      const stored = await tx.get("state", "held");
      if ((stored?.sequence ?? 0) !== this.#onDisk) throw new Overtaken();
      if (step.replaced !== null && this.#damaged.has(step.replaced)) {
        tx.delete("objects", rangeOf(step.replaced));
        for (const item of step.items) tx.put("objects", item, [step.replaced, item.id]);
      }
      for (const effect of this.#unwritten.values()) put(tx, effect);
      for (const effect of effects) put(tx, effect);
      tx.put("state", held, "held");
    });
    this.#onDisk = held.sequence;
  }

  /** @param {Effect[]} effects */
  #remember(effects) {
    for (const effect of effects) this.#unwritten.set(`${effect.resource} ${effect.id}`, effect);
    this.#isAhead = true;
  }

  // --- In memory ------------------------------------------------------------------------------------------------------

  /** @param {string} name @param {readonly Row[]} rows @returns {Effect[]} */
  #differences(name, rows) {
    const resource = this.resources[name];
    if (!resource) return [];
    const ids = new Set(rows.map(({ id }) => id));
    /** @type {Effect[]} */
    const effects = [];
    for (const data of rows) {
      const before = resource.get(data.id);
      const action = before ? "updated" : "created";
      if (!before || !isSame(before, data)) effects.push({ resource: name, action, id: data.id, data });
    }
    for (const { id } of resource.getSnapshot())
      if (!ids.has(id)) effects.push({ resource: name, action: "deleted", id, data: null });
    return effects;
  }

  /** @param {readonly Effect[]} effects */
  #take(effects) {
    const updates = effects.map((effect) => ({
      ...effect,
      before: this.resources[effect.resource]?.get(effect.id) ?? null,
    }));
    const telling = this.names
      .map((name) => ({ name, changes: effects.filter(({ resource }) => resource === name) }))
      .filter(({ changes }) => changes.length)
      .map(({ name, changes }) => /** @type {Resource} */ (this.resources[name]).take(changes));
    for (const tell of telling) tell();
    if (updates.length) this.#updates.tell(updates);
  }
}

/** @param {Transaction} tx @param {Effect} effect */
function put(tx, { resource, id, data }) {
  if (data) tx.put("objects", data, [resource, id]);
  else tx.delete("objects", [resource, id]);
}

/** @param {string} resource */
const rangeOf = (resource) => ({ from: [resource], before: [resource, []] });

/** @param {Effect[]} effects a guess in bytes */
const sizeOf = (effects) => 65_536 + effects.length * 1024;

/** @param {any} row */
const isRow = (row) => typeof row?.id === "string" && row.id !== "";

/** @param {any[]} rows @param {number} count */
const isWhole = (rows, count) => rows.length === count && rows.every(isRow);

/** @param {any} held */
function isHeld(held) {
  const isText = (/** @type {any} */ value) => value === null || typeof value === "string";
  const isObject = (/** @type {any} */ value) => typeof value === "object" && value !== null;
  return (
    isObject(held) &&
    isText(held.epoch) &&
    isText(held.cursor) &&
    Number.isSafeInteger(held.sequence) &&
    isObject(held.versions) &&
    isObject(held.counts) &&
    Object.values(held.versions).every((at) => at === null || Number.isSafeInteger(at))
  );
}

/** Whether two values of JSON are the same. @param {any} a @param {any} b @returns {boolean} */
function isSame(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && isSame(a[key], b[key]));
}
