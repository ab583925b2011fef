// Photos that were taken here: shown at once under their final hash, sent when there is a network, never evicted.
// Everything that is asked of the server can be asked again, so a crash between two steps only repeats one of them.

import { Closed, NotAllowed, NotEnrolled, RedCoralError } from "../errors.js";
import { ORIGINAL } from "../images/bytes.js";
import { sha256 } from "../images/sha256.js";
import { Records } from "../own.js";

/** @import { Device, Id, Store, Surroundings, Transaction, WaitingPhoto } from "../types.js" */
/** @import { Images } from "../images/cache.js" */

/**
 * A photo that waits. `step` is how far it came; `failed`: it isn't tried again by itself; `cleanup`: the server still
 * has to forget about it; `isRemoved`: and then it goes.
 *
 * @typedef {object} Row
 * @property {Id} id
 * @property {string} hash
 * @property {Id | null} product
 * @property {string} filename
 * @property {number} size bytes
 * @property {number} at milliseconds since 1970
 * @property {string | null} album
 * @property {"new" | "registered" | "asked"} step
 * @property {number} tries
 * @property {string} error the last one
 * @property {boolean} failed
 * @property {boolean} cleanup
 * @property {boolean} isRemoved
 */

const FIRST_PAUSE = 2_000; // ms until what didn't get through is tried again; doubled each time
const LONGEST_PAUSE = 300_000;
const ANEW = { failed: false, cleanup: false, isRemoved: false, error: "", step: /** @type {const} */ ("new") };

/** What only a photo needs: no page waits for it at its start. */
const later = async () => {
  const [{ normalize }, { Delivery }] = await Promise.all([import("./normalize.js"), import("./delivery.js")]);
  return { normalize, Delivery };
};

export class Outbox {
  /** @type {Records<Row>} */ #rows;
  /** @type {readonly WaitingPhoto[] | null} */ #snapshot = null;
  /** @type {Promise<void> | null} */ #running = null;
  #isAgain = false;
  #failures = 0;
  #ending = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  /** @type {(() => void)[]} */ #endings;

  /**
   * @param {Pick<Surroundings, "http" | "own" | "tabs" | "clock" | "report"> & {images: Images, device: Store<Device | null>,
   *   normalize?: (photo: Blob) => Promise<ArrayBuffer>}} given
   */
  constructor(given) {
    this.given = given;
    this.normalize = given.normalize ?? (async (photo) => (await later()).normalize(photo));
    this.#rows = new Records(given.own, "outbox", given.tabs, given.images.makeRoom);
    this.#rows.subscribe(() => {
      this.#snapshot = null;
    });
    this.#endings = [
      given.tabs.subscribe(this.hurry),
      given.device.subscribe(this.hurry),
      this.#rows.subscribe(this.#sendSoon),
    ];
    given.images.waitingPhotos = async (hash) => {
      const bytes = await this.#bytesOf(hash);
      return bytes && { bytes, type: "image/jpeg", width: ORIGINAL };
    };
  }

  load() {
    return this.#rows.load();
  }

  /** @param {() => void} fn */
  subscribe = (fn) => this.#rows.subscribe(fn);

  /** What waits and what failed, the oldest first. */
  getSnapshot = () => {
    this.#snapshot ??= Object.freeze(this.#all().flatMap((row) => (row.isRemoved ? [] : [Object.freeze(shown(row))])));
    return this.#snapshot;
  };

  /** Whether this device may send photos. */
  get isAllowed() {
    return this.given.device.getSnapshot()?.scopes?.includes("upload") ?? false;
  }

  /**
   * Keeps a photo, made as the server would make it, and resolves to its final hash: from then on it is shown, and it
   * outlives whatever happens here. The same one for the same product waits once. Rejects with PictureRefused,
   * StorageFull, StorageFailed, and NotAllowed where this device hasn't the scope `upload`.
   *
   * @param {Blob} photo @param {{product?: Id | null}} [options] `product`: which is to show it
   * @returns {Promise<string>}
   */
  async add(photo, { product = null } = {}) {
    if (!this.isAllowed) throw new NotAllowed(403, "forbidden", "this device was enrolled without the scope 'upload'");
    const bytes = await this.normalize(photo);
    const [hash, now] = [await sha256(bytes), this.given.clock.now()];
    const name = /** @type {any} */ (photo).name;
    const filename = (typeof name === "string" && name ? name : "photo.jpg").slice(-255);
    const same = this.#all().find((row) => row.hash === hash && row.product === product);
    const id = same?.id ?? newId();
    const fresh = { id, hash, product, filename, size: bytes.byteLength, album: null, tries: 0 };
    await this.#rows.change(
      [id],
      ([stored]) => [stored && !stored.failed ? { ...stored, at: now } : { ...(stored ?? fresh), ...ANEW, at: now }],
      { stores: ["outbox_bytes"], also: (tx) => tx.put("outbox_bytes", bytes, hash), room: 2 * bytes.byteLength },
    );
    this.given.images.added(hash);
    this.hurry();
    return hash;
  }

  /** Takes a photo back; the server forgets it as soon as it is reached. @param {Id} id */
  async remove(id) {
    await this.#change(id, (row) =>
      row.step === "new" && !row.cleanup ? null : { ...row, failed: true, cleanup: true, isRemoved: true },
    );
    this.hurry();
  }

  /** Lets those that failed wait again; resolves to how many. */
  async retryFailed() {
    const failed = this.#all().filter((row) => row.failed && !row.isRemoved);
    for (const { id } of failed) await this.#change(id, (row) => ({ ...row, ...ANEW, tries: 0 }));
    this.hurry();
    return failed.length;
  }

  /** Sends now, when there is something, this device may, and this tab is the connected one. */
  hurry = () => {
    if (this.isAllowed) later().catch(this.given.report); // over plain http it has to be here before the network goes
    this.#failures = 0;
    this.#send();
  };

  /** How many bytes wait. */
  get bytes() {
    return this.#all().reduce((sum, { size }) => sum + size, 0);
  }

  async close() {
    for (const end of this.#endings.splice(0)) end();
    clearTimeout(this.#timer);
    this.#ending.abort(new Closed());
    await this.#running;
  }

  // --- Sending ------------------------------------------------------------------------------------------------------
  #sendSoon = () => {
    if (!this.#timer && !this.#running && this.#failures === 0) this.#send(); // another tab added one
  };

  #send() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#running) this.#isAgain = true;
    if (this.#running || this.#ending.signal.aborted || !this.isAllowed || !this.given.tabs.isConnected()) return;
    if (!this.#all().some((row) => !row.failed || row.cleanup)) return;
    const begun = new Set(this.#all().map((row) => row.id));
    this.#running = this.#run().finally(() => {
      this.#running = null;
      const left = this.#all().filter((row) => !row.failed || row.cleanup);
      const isAgain = this.#isAgain || left.some((row) => !begun.has(row.id)); // added meanwhile, perhaps in another tab
      this.#isAgain = false;
      if (this.#ending.signal.aborted || !left.length) return;
      if (isAgain && !this.#failures) return this.#send();
      this.#failures += 1;
      const pause = Math.min(FIRST_PAUSE * 2 ** (this.#failures - 1), LONGEST_PAUSE);
      this.#timer = setTimeout(() => this.#send(), pause * (0.75 + Math.random() / 2));
    });
  }

  async #run() {
    const { http, report } = this.given;
    const { signal } = this.#ending;
    const rows = {
      all: this.#all,
      note: (/** @type {Id} */ id, /** @type {Partial<Row>} */ change) =>
        this.#change(id, (row) => ({ ...row, ...change })),
      renumber: this.#renumber,
      cleaned: (/** @type {Id} */ id) => this.#change(id, (row) => (row.isRemoved ? null : { ...row, cleanup: false })),
      done: this.#done,
      bytes: this.#bytesOf,
    };
    try {
      const { Delivery } = await later();
      const delivery = new Delivery({ http, rows, report, signal });
      await delivery.run();
      if (!delivery.postponed) this.#failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      report(error);
      // Whoever asks who it is gets the cookie that was missing.
      if (error instanceof NotAllowed && error.code === "csrf_failed")
        await http.getJson("/api/devices/me").catch(report);
      else if (!(error instanceof NotEnrolled || error instanceof RedCoralError)) throw error;
    }
  }

  // --- Rows and bytes -----------------------------------------------------------------------------------------------
  /** @returns {Row[]} the oldest first */
  #all = () => [...this.#rows.getSnapshot()].sort((one, other) => one.at - other.at || (one.id < other.id ? -1 : 1));

  /** @param {Id} id @param {(row: Row) => Row | null} change */
  async #change(id, change) {
    await this.#rows.change([id], ([row]) => [row ? change(row) : null], WITH_BYTES);
  }

  #renumber = async (/** @type {Id} */ id) => {
    const other = newId();
    await this.#rows.change(
      [id, other],
      ([row]) => [null, row && { ...row, id: other, step: "new", album: null }],
      WITH_BYTES,
    );
  };

  /** The server has it: the cache takes it over, so that it isn't downloaded. @param {Id} id */
  #done = async (id) => {
    const row = this.#rows.get(id);
    const bytes = row && (await this.#bytesOf(row.hash));
    if (bytes) await this.given.images.adopt(row.hash, bytes).catch(this.given.report);
    await this.#change(id, () => null);
  };

  /** Null when they are gone or damaged. @param {string} hash @returns {Promise<ArrayBuffer | null>} */
  #bytesOf = async (hash) => {
    const bytes = await this.given.own.read("outbox_bytes", (tx) => tx.get("outbox_bytes", hash));
    return bytes instanceof ArrayBuffer && (await sha256(bytes)) === hash ? bytes : null;
  };
}

// Bytes go in the transaction after which no row names them.
const WITH_BYTES = {
  stores: ["outbox_bytes"],
  also: async (/** @type {Transaction} */ tx) => {
    const [rows, hashes] = await Promise.all([tx.getAll("outbox"), tx.getAllKeys("outbox_bytes")]);
    const named = new Set(rows.flatMap((row) => (row.isRemoved ? [] : [row.hash])));
    for (const hash of hashes) if (!named.has(hash)) tx.delete("outbox_bytes", hash);
  },
};

/** @param {Row} row @returns {WaitingPhoto} */
function shown({ id, hash, product, error, size, at, failed, step }) {
  const state = failed ? "failed" : step === "asked" ? "processing" : step === "registered" ? "sending" : "waiting";
  return { id, hash, product, state, error, size, at };
}

/** Not crypto.randomUUID: on http://192.168.… there is none. @returns {Id} */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = /** @type {number} */ (bytes[6] & 0x0f) | 0x40;
  bytes[8] = /** @type {number} */ (bytes[8] & 0x3f) | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
