// What a terminal does with what it hears: docs/sync-protocol.md as a pure core, the same as posclient's `_rules`.
//
// No clock, no network, no disk. Whoever holds it feeds what came (`hello`, `sync`, …, `snapshot`, `delta`) and then
// asks `next()` until that is null: a Fetch is to be asked of the server, a Step to be written in one transaction.

import { UnexpectedAnswer } from "./errors.js";

/** @import { Change, Fetch, Row, Step, Versions } from "./types.js" */

const MOST_REFUSALS = 5; // answers in a row that fit nothing, after which something between us and the server is broken

/** What a terminal holds and has heard. */
export class Rules {
  /** @type {Set<string>} to be fetched whole */ #lost;
  /** @type {Set<string>} to be fetched since our version */ #behind = new Set();
  /** @type {Map<string, number>} the head, as far as the server told */ #known = new Map();
  /** @type {Change[]} */ #frames = [];
  #cut = 0; // so many of the frames end in a consistent state
  /** @type {string | null} the cursor of the last place at which nothing was pending */ #heard;
  /** @type {{epoch: string | null, versions: Versions, cursor: string | null}} */ #onDisk;
  #refusals = 0;

  /**
   * @param {object} [held]
   * @param {string | null} [held.epoch]
   * @param {Versions} [held.versions]
   * @param {string | null} [held.cursor]
   * @param {readonly string[] | null} [held.resources] those that it follows; null: whatever the server has
   */
  constructor({ epoch = null, versions = {}, cursor = null, resources = null } = {}) {
    this.epoch = epoch;
    /** @type {Versions} */
    this.versions = { ...versions };
    this.cursor = cursor;
    this.resources = resources;
    this.#heard = cursor;
    this.#onDisk = { epoch, versions: { ...versions }, cursor };
    this.#lost = new Set(Object.keys(versions).filter((name) => versions[name] === null));
  }

  // --- What was heard on the stream ---------------------------------------------------------------------------------

  /**
   * A stream begins. `resumed`: it continues from our cursor, so older versions only mean repetition.
   *
   * @param {string} epoch @param {Record<string, number>} versions @param {string | null} cursor
   * @param {{resumed: boolean}} how
   */
  hello(epoch, versions, cursor, { resumed }) {
    this.#dropFrames();
    this.#enter(epoch);
    for (const [name, version] of this.#followed(versions)) this.#look(name, version, resumed);
    this.#heard = cursor;
  }

  /** The heads of the server, asked without a stream. @param {string} epoch @param {Record<string, number>} versions */
  status(epoch, versions) {
    this.#dropFrames();
    this.#enter(epoch);
    for (const [name, version] of this.#followed(versions)) this.#look(name, version, false);
  }

  /** What is held counts for nothing, though it is still shown: it has to be fetched whole. */
  forget() {
    this.#dropFrames();
    for (const name of Object.keys(this.versions)) this.versions[name] = null;
    this.#lost = new Set(Object.keys(this.versions));
    this.#behind.clear();
    this.#known.clear();
    this.#heard = this.cursor = null;
  }

  /** @param {Change} change @param {{cut: boolean, cursor: string | null}} place */
  sync(change, { cut, cursor }) {
    if (this.#follows(change.resource)) this.#frames.push(change);
    if (cut) {
      this.#cut = this.#frames.length;
      this.#heard = cursor;
    }
  }

  /**
   * We have everything up to here, or else we missed something.
   *
   * @param {string} epoch @param {Record<string, number>} versions @param {string | null} cursor
   */
  bookmark(epoch, versions, cursor) {
    this.#enter(epoch);
    this.#cut = this.#frames.length;
    /** @type {Map<string, number>} */
    const arriving = new Map();
    for (const { resource, version } of this.#frames)
      arriving.set(resource, Math.max(version, arriving.get(resource) ?? 0));
    for (const [name, version] of this.#followed(versions))
      if (version > (arriving.get(name) ?? 0)) this.#look(name, version, true);
    this.#heard = cursor;
  }

  /**
   * These can't be continued; the stream goes on from `versions`.
   *
   * @param {string} epoch @param {Record<string, number>} versions @param {readonly string[]} resources
   * @param {string | null} cursor
   */
  resync(epoch, versions, resources, cursor) {
    this.#enter(epoch);
    const names = new Set(resources.filter((name) => this.#follows(name)));
    this.#frames = this.#frames.filter(({ resource }) => !names.has(resource));
    this.#cut = this.#frames.length;
    for (const name of names) this.#lose(name, versions[name] ?? 0);
    this.#heard = cursor;
    this.cursor = null;
  }

  // --- What was answered --------------------------------------------------------------------------------------------

  /**
   * The step that replaces all of `resource`; null when the answer is older than what we heard already.
   *
   * @param {string} resource @param {string} epoch @param {number} version @param {Row[]} items @returns {Step | null}
   */
  snapshot(resource, epoch, version, items) {
    this.#enter(epoch);
    if (version < (this.#known.get(resource) ?? 0)) return this.#refuse();
    this.#arrived(resource, version);
    this.#lost.delete(resource);
    this.#behind.delete(resource);
    return this.#step({ replaced: resource, items });
  }

  /**
   * The step that continues `resource`; null when the answer doesn't fit what is held.
   *
   * @param {string} resource @param {string} epoch @param {{since: number, to: number, head: number}} reach
   * @param {Change[]} changes @returns {Step | null}
   */
  delta(resource, epoch, { since, to, head }, changes) {
    if (this.#enter(epoch)) return null;
    if (since !== this.versions[resource] || to < since || (to === since && head > to)) return this.#refuse();
    const known = Math.max(head, this.#known.get(resource) ?? 0);
    if (to === since && known > to) return this.#refuse(); // an answer from before what we heard
    this.#arrived(resource, to);
    if (known <= to) this.#behind.delete(resource);
    this.#known.set(resource, known);
    return this.#step({ changes });
  }

  /**
   * The changes can't be given any more (410): the whole is needed.
   *
   * @param {string} resource @param {string | null} epoch @param {number | null} version
   */
  gone(resource, epoch, version) {
    if (epoch !== null) this.#enter(epoch);
    this.#behind.delete(resource);
    this.#lose(resource, version ?? 0);
  }

  /** The server has no such resource (404). @param {string} resource */
  unknown(resource) {
    this.#lost.delete(resource);
    this.#behind.delete(resource);
    delete this.versions[resource];
    this.#frames = this.#frames.filter((change) => change.resource !== resource);
    this.#cut = this.#frames.length;
  }

  // --- What to do ---------------------------------------------------------------------------------------------------

  /** What comes next; null: nothing until more is heard. @returns {Fetch | Step | null} */
  next() {
    if (this.#isReset()) return this.#step();
    const fetch = this.#fetch();
    if (fetch) return fetch;
    if (this.#cut) return this.#framesStep();
    return this.#heard === this.#onDisk.cursor ? null : this.#step();
  }

  /** Whether nothing is known to be missing. */
  get isCurrent() {
    return this.epoch !== null && !(this.#lost.size || this.#behind.size || this.#frames.length);
  }

  /** What has to be fetched, by name. */
  get missing() {
    return [...new Set([...this.#lost, ...this.#behind])].sort();
  }

  /** What is known to be missing, whole resources first. @returns {Fetch | null} */
  #fetch() {
    const [lost] = [...this.#lost].sort();
    if (lost !== undefined) return { kind: "fetch", resource: lost, since: null, epoch: this.epoch };
    const [name] = [...this.#behind].sort();
    if (name === undefined) return null;
    return { kind: "fetch", resource: name, since: this.versions[name] ?? null, epoch: this.epoch };
  }

  /**
   * The frames up to the last cut as one step, or what has to be fetched because one is missing among them.
   *
   * @returns {Fetch | Step}
   */
  #framesStep() {
    const last = { ...this.versions };
    const changes = [];
    for (const change of this.#frames.slice(0, this.#cut)) {
      const { resource, version } = change;
      const have = last[resource] ?? null;
      if (this.#behind.has(resource)) continue; // what follows the first gap is looked at again when it is filled
      if (have === null) {
        this.#lost.add(resource);
        this.versions[resource] ??= null;
      } else if (version > have + 1) {
        this.#behind.add(resource);
        this.#known.set(resource, Math.max(version, this.#known.get(resource) ?? 0));
      } else if (version === have + 1) {
        last[resource] = version;
        changes.push(change);
      }
    }
    const fetch = this.#fetch();
    if (fetch) return fetch;
    this.#frames = this.#frames.slice(this.#cut);
    this.#cut = 0;
    this.versions = last;
    return this.#step({ changes });
  }

  /** @param {string} name */
  #follows(name) {
    return this.resources === null || this.resources.includes(name);
  }

  /** @param {Record<string, number>} versions */
  #followed(versions) {
    return Object.entries(versions).filter(([name]) => this.#follows(name));
  }

  /** Whether another history begins: then what is held counts for nothing. @param {string} epoch */
  #enter(epoch) {
    if (epoch === this.epoch) return false;
    this.epoch = epoch;
    this.forget();
    return true;
  }

  /** @param {string} name @param {number} version @param {boolean} mayBeOlder */
  #look(name, version, mayBeOlder) {
    const have = this.versions[name] ?? null;
    if (have === null) {
      this.#lose(name, version);
    } else if (version > have) {
      this.#behind.add(name);
      this.#known.set(name, version);
    } else if (version < have && !mayBeOlder) {
      this.#lose(name, version); // the server went back, a restored backup
    }
  }

  /** @param {string} name @param {number} known */
  #lose(name, known) {
    this.versions[name] = null;
    this.#lost.add(name);
    this.#known.set(name, known);
  }

  #dropFrames() {
    this.#frames = [];
    this.#cut = 0;
  }

  /** @param {string} resource @param {number} version */
  #arrived(resource, version) {
    this.versions[resource] = version;
    this.#refusals = 0;
  }

  /** @returns {null} */
  #refuse() {
    this.#refusals += 1;
    if (this.#refusals > MOST_REFUSALS)
      throw new UnexpectedAnswer("the answers don't fit what was asked, again and again");
    return null;
  }

  /** Whether something that was held counts for nothing now, and the disk doesn't know yet. */
  #isReset() {
    const { epoch, versions } = this.#onDisk;
    return (
      epoch !== this.epoch ||
      Object.keys(versions).some((name) => versions[name] !== null && this.versions[name] === null)
    );
  }

  /** @param {{changes?: Change[], replaced?: string | null, items?: Row[]}} [what] @returns {Step} */
  #step({ changes = [], replaced = null, items = [] } = {}) {
    if (!(this.#lost.size || this.#behind.size)) this.cursor = this.#heard; // else what was heard is ahead of what is held
    const held = { epoch: this.epoch, versions: { ...this.versions }, cursor: this.cursor };
    this.#onDisk = held;
    return { kind: "step", ...held, changes, replaced, items };
  }
}
