// The pictures that are kept: bytes apart from their records, so that counting reads no bytes. The least recently used
// make room. Tabs share the database; each holds the records in memory and is told what the others changed.
//
// A claim, in the same database, is of the tab that downloads a picture: of one picture there is one request at a time,
// over plain http as well, where a browser has no locks. It ends with the picture, or by itself after a while.

import { StorageFull } from "../errors.js";
import { Listeners } from "../resources.js";
import { isHash, sha256 } from "./sha256.js";

/** @import { Database, Tabs } from "../types.js" */

/**
 * `width` is the one that was asked for, in pixels; `ORIGINAL` is wider than any.
 *
 * @typedef {{bytes: ArrayBuffer, type: string, width: number}} Picture
 */

/**
 * `digest` is that of the stored bytes, `used` in milliseconds since 1970.
 *
 * @typedef {{key: string, width: number, type: string, size: number, digest: string, used: number}} PictureRecord
 */

export const ORIGINAL = 9999;
export const STORED = "stored";

const SPARE_OF_CLAIM = 10_000; // ms that it lasts longer than a download may
const ANSWER = 400; // ms in which a tab says that it is there

const USED_SOON = 5_000; // ms: a picture that was used so shortly before isn't written again
const TOUCHING = 2_000; // ms until the times of use are written
const SPARE = 0.1; // of all: a browser's disk takes notice of a little late, and not every picture has to make room
const FULL_TRIES = 4;

export class PictureBytes {
  /** @type {Map<string, PictureRecord>} */ #records = new Map();
  #total = 0;
  #arriving = 0; // bytes that are being written
  #ceiling = Number.POSITIVE_INFINITY; // bytes, since the disk was found full
  #changed = new Listeners();
  #news = new Listeners();
  /** @type {Map<string, number>} */ #touched = new Map();
  /** @type {Set<string>} */ #claimed = new Set(); // by this tab
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  /** @type {(() => void)[]} */ #endings;

  /**
   * @param {object} given
   * @param {Database} given.database
   * @param {Tabs} given.tabs
   * @param {() => number} given.now
   * @param {string} given.tab an id of this tab
   * @param {(error: unknown) => void} given.report
   * @param {number} given.budget bytes
   * @param {number} given.longest ms of one download
   */
  constructor({ database, tabs, now, tab, report, budget, longest }) {
    this.database = database;
    this.tabs = tabs;
    this.now = now;
    this.tab = tab;
    this.report = report;
    this.budget = budget;
    this.claimed = longest + SPARE_OF_CLAIM;
    this.topic = `${database.name} news`;
    this.#endings = [tabs.listen(this.topic, (news) => this.#hear(news))];
  }

  /** Reads which pictures there are. */
  async load() {
    /** @type {PictureRecord[]} */
    const read = await this.database.read("records", (tx) => tx.getAll("records"));
    const records = read.filter(({ size, used }) => Number.isFinite(size) && Number.isFinite(used));
    this.#records = new Map(records.map((record) => [record.key, record]));
    this.#total = records.reduce((sum, { size }) => sum + size, 0);
    this.#changed.tell();
  }

  /** @param {() => void} fn after pictures came or went */
  subscribe = (fn) => this.#changed.add(fn);

  /** @param {(hash: string) => void} fn what another tab did with a picture, or with its claim on one */
  onNews = (fn) => this.#news.add(fn);

  /** @param {string} hash */
  get(hash) {
    return this.#records.get(hash);
  }

  get usage() {
    return { count: this.#records.size, bytes: this.#total, budget: this.budget };
  }

  /**
   * Those of these pictures that are here and whole. What is damaged is dropped: it comes again.
   *
   * @param {readonly string[]} hashes @returns {Promise<Map<string, Picture>>}
   */
  async read(hashes) {
    const read = await this.database.read(["records", "bytes"], (tx) =>
      Promise.all(hashes.map((hash) => Promise.all([hash, tx.get("records", hash), tx.get("bytes", hash)]))),
    );
    /** @type {Map<string, Picture>} */
    const found = new Map();
    /** @type {string[]} */
    const damaged = [];
    await Promise.all(
      read.map(async ([hash, record, bytes]) => {
        if (!record && !bytes) return;
        if (await isWhole(record, bytes)) found.set(hash, { bytes, type: record.type, width: record.width });
        else damaged.push(hash);
      }),
    );
    if (damaged.length) await this.remove(damaged).catch(this.report);
    for (const hash of found.keys()) this.#touch(hash);
    return found;
  }

  /**
   * Keeps a picture, and ends our claim on it. The least recently used make room, also when the disk is full; never
   * those of `keep`. False when there is no room without them. Rejects with StorageFailed.
   *
   * @param {string} hash @param {Picture} picture @param {(hash: string) => boolean} keep @returns {Promise<boolean>}
   */
  async write(hash, { bytes, type, width }, keep) {
    const size = bytes.byteLength;
    this.#arriving += size;
    try {
      const over = () => this.#total + this.#arriving - (this.#records.get(hash)?.size ?? 0) - this.#limit;
      if (over() > 0) await this.makeRoom(over(), keep, hash);
      if (over() > 0) return false;
      const record = { key: hash, width, type, size, digest: await sha256(bytes), used: this.now() };
      for (let tries = 1; ; tries += 1) {
        try {
          await this.#put(record, bytes);
          break;
        } catch (error) {
          if (!(error instanceof StorageFull) || tries === FULL_TRIES) throw error;
          if (!(await this.yieldRoom(2 * size, keep, hash))) throw error;
        }
      }
      this.#claimed.delete(hash);
      this.#take(record);
      this.tabs.tell(this.topic, { hash, record });
      return true;
    } finally {
      this.#arriving -= size;
    }
  }

  /**
   * Whether another picture will most likely find room, by the size of those that are here.
   *
   * @param {(hash: string) => boolean} keep
   */
  hasRoom(keep) {
    const typical = this.#records.size ? this.#total / this.#records.size : 1;
    if (this.#total + this.#arriving + typical <= this.#limit) return true;
    return [...this.#records.keys()].some((key) => !keep(key));
  }

  /**
   * Removes the least recently used until at least so many bytes are free, and a tenth of all; never those of `keep`.
   *
   * @param {number} bytes @param {(hash: string) => boolean} keep @param {string} [but] this one neither
   * @returns {Promise<number>} how many bytes are free now that weren't
   */
  async makeRoom(bytes, keep, but) {
    await this.#writeTouched();
    const wanted = Math.max(bytes, this.#total * SPARE);
    const oldest = [...this.#records.values()].sort((one, other) => one.used - other.used);
    /** @type {string[]} */
    const going = [];
    let freed = 0;
    for (const { key, size } of oldest) {
      if (freed >= wanted) break;
      if (key === but || keep(key)) continue;
      going.push(key);
      freed += size;
    }
    if (going.length) await this.remove(going);
    return freed;
  }

  /**
   * Makes room on a disk that is full. Pictures grow into it no more: what they give is for others, and what was removed
   * would only come and go again.
   *
   * @param {number} bytes @param {(hash: string) => boolean} keep @param {string} [but]
   */
  async yieldRoom(bytes, keep, but) {
    const freed = await this.makeRoom(bytes, keep, but);
    if (freed) this.#ceiling = this.#total;
    return freed;
  }

  /** What pictures may have now. */
  get #limit() {
    return Math.min(this.budget, this.#ceiling);
  }

  /** @param {number} bytes @param {(hash: string) => boolean} keep */
  async setBudget(bytes, keep) {
    this.budget = bytes;
    this.#ceiling = Number.POSITIVE_INFINITY;
    if (this.#total > bytes) await this.makeRoom(this.#total - bytes, keep);
  }

  /** @param {readonly string[]} hashes */
  async remove(hashes) {
    await this.database.write(["records", "bytes"], (tx) => {
      for (const hash of hashes) {
        tx.delete("records", hash);
        tx.delete("bytes", hash);
      }
    });
    this.#drop(hashes);
    this.tabs.tell(this.topic, { gone: hashes });
  }

  /**
   * Removes every picture that isn't wanted, and what a crash left: bytes without a record, claims that are over.
   *
   * @param {(hash: string) => boolean} isWanted
   */
  async cleanup(isWanted) {
    const keys = await this.database.read(["records", "bytes"], async (tx) => {
      const [records, bytes] = await Promise.all([tx.getAllKeys("records"), tx.getAllKeys("bytes")]);
      return [...new Set([...records, ...bytes])];
    });
    const going = keys.filter((key) => !isWanted(key));
    const freed = going.reduce((sum, key) => sum + (this.#records.get(key)?.size ?? 0), 0);
    if (going.length) await this.remove(going);
    await this.database.write("claims", async (tx) => {
      const [names, claims] = await Promise.all([tx.getAllKeys("claims"), tx.getAll("claims")]);
      names.forEach((name, at) => {
        if (!this.#isUnderWay(claims[at])) tx.delete("claims", name);
      });
    });
    return { removed_count: going.length, freed_bytes: freed };
  }

  // --- Who downloads ------------------------------------------------------------------------------------------------
  /**
   * Whose it is to download this picture at this width: ours from now on (null), or that of another tab. `"stored"`:
   * nobody's, it is here. `lost`: a tab that is gone, whose claim counts no more.
   *
   * @param {string} hash @param {number} width @param {string} [lost] @returns {Promise<null | string | "stored">}
   */
  async claim(hash, width, lost) {
    const found = await this.database.write(["records", "claims"], async (tx) => {
      const [record, claim] = await Promise.all([tx.get("records", hash), tx.get("claims", hash)]);
      if (record && record.width >= width) return STORED;
      if (this.#isUnderWay(claim) && claim.tab !== this.tab && claim.tab !== lost) return String(claim.tab);
      tx.put("claims", { tab: this.tab, until: Date.now() + this.claimed }, hash);
      return null;
    });
    if (found === null) this.#claimed.add(hash);
    return found;
  }

  /** Whether another tab says that it downloads this picture. One that was reloaded or killed doesn't. @param {string} hash */
  async isHeld(hash) {
    return /** @type {Promise<boolean>} */ (
      new Promise((resolve) => {
        const answer = (/** @type {boolean} */ isHeld) => {
          clearTimeout(timer);
          end();
          resolve(isHeld);
        };
        const end = this.tabs.listen(this.topic, (news) => news.holds === hash && answer(true));
        const timer = setTimeout(answer, ANSWER, false);
        this.tabs.tell(this.topic, { asks: hash });
      })
    );
  }

  /** Ours is over without a picture. @param {string} hash */
  async release(hash) {
    this.#claimed.delete(hash);
    await this.database.write("claims", async (tx) => {
      if ((await tx.get("claims", hash))?.tab === this.tab) tx.delete("claims", hash);
    });
    this.tabs.tell(this.topic, { hash });
  }

  async close() {
    for (const end of this.#endings.splice(0)) end();
    await this.#writeTouched();
  }

  // --- Underneath ---------------------------------------------------------------------------------------------------
  /** @param {{hash?: string, record?: PictureRecord, gone?: string[], asks?: string}} news */
  #hear({ hash, record, gone, asks }) {
    if (asks && this.#claimed.has(asks)) this.tabs.tell(this.topic, { holds: asks });
    if (record) this.#take(record);
    if (gone) this.#drop(gone);
    if (hash) this.#news.tell(hash);
  }

  /** @param {any} claim */
  #isUnderWay(claim) {
    const left = (claim?.until ?? 0) - Date.now();
    return left > 0 && left <= this.claimed; // a clock that was put back makes nobody wait for longer
  }

  /** @param {PictureRecord} record @param {ArrayBuffer} bytes */
  #put(record, bytes) {
    return this.database.write(["records", "bytes", "claims"], (tx) => {
      tx.put("records", record);
      tx.put("bytes", bytes, record.key);
      tx.delete("claims", record.key);
    });
  }

  /** @param {PictureRecord} record */
  #take(record) {
    this.#total += record.size - (this.#records.get(record.key)?.size ?? 0);
    this.#records.set(record.key, record);
    this.#changed.tell();
  }

  /** @param {readonly string[]} hashes */
  #drop(hashes) {
    for (const hash of hashes) {
      this.#total -= this.#records.get(hash)?.size ?? 0;
      this.#records.delete(hash);
    }
    this.#changed.tell();
  }

  /** @param {string} hash */
  #touch(hash) {
    const [record, now] = [this.#records.get(hash), this.now()];
    if (!record || (now >= record.used && now - record.used < USED_SOON)) return;
    this.#records.set(hash, { ...record, used: now });
    this.#touched.set(hash, now);
    this.#timer ??= setTimeout(() => this.#writeTouched().catch(this.report), TOUCHING);
  }

  async #writeTouched() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const touched = [...this.#touched];
    this.#touched.clear();
    if (!touched.length) return;
    await this.database.write("records", async (tx) => {
      const records = await Promise.all(touched.map(([hash]) => tx.get("records", hash)));
      records.forEach((record, at) => {
        if (record) tx.put("records", { ...record, used: touched[at]?.[1] });
      });
    });
  }
}

/** @param {any} record @param {any} bytes */
async function isWhole(record, bytes) {
  return (
    bytes instanceof ArrayBuffer &&
    isHash(record?.digest) &&
    typeof record.type === "string" &&
    Number.isFinite(record.width) &&
    (await sha256(bytes)) === record.digest
  );
}
