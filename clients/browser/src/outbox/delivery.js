// One run of the outbox: what the server lacks goes there, by steps that may all be repeated (docs/uploads.md). A photo
// for no product is one request with its picture. One for a product goes the way that survives everything.

import { NotAllowed, NotEnrolled, Refused, ServerUnavailable, UnexpectedAnswer } from "../errors.js";

/** @import { Http } from "../types.js" */
/** @import { Row } from "./outbox.js" */

/**
 * What a run does with the rows of the outbox.
 *
 * @typedef {object} Rows
 * @property {() => readonly Row[]} all the oldest first
 * @property {(id: string, change: Partial<Row>) => Promise<void>} note
 * @property {(id: string) => Promise<void>} renumber its id is taken on the server
 * @property {(id: string) => Promise<void>} cleaned the server has forgotten it
 * @property {(id: string) => Promise<void>} done the server has it
 * @property {(hash: string) => Promise<ArrayBuffer | null>} bytes null: they are gone or damaged
 */

const ASKED_AT_ONCE = 1000; // hashes in one question for what is missing
const CLEANUP_TRIES = 3;
const ALBUM_TRIES = 3; // an album that is gone or full: another one, so often
const FRESH_STARTS = 3; // an address that expired, bytes that were lost: register anew, so often
const WATCHING = 60_000; // ms, altogether, that a run waits until the server has processed its photos

/** It would fail the next time as well; the message says why. */
class Failure extends Error {}

export class Delivery {
  #isOffline = false;
  #watched = WATCHING;
  /** @type {Set<string>} */ #lostIn = new Set(); // albums in which a step was lost
  /** How many photos came to the server, and what the last of those that didn't was stopped by. */
  sent = 0;
  /** @type {ServerUnavailable | null} */ postponed = null;

  /**
   * @param {object} given
   * @param {Http} given.http
   * @param {Rows} given.rows
   * @param {(error: unknown) => void} given.report
   * @param {AbortSignal} given.signal
   */
  constructor({ http, rows, report, signal }) {
    this.http = http;
    this.rows = rows;
    this.report = report;
    this.signal = signal;
  }

  /** Rejects with NotEnrolled, NotAllowed and StorageFailed; everything else is noted with its photo. */
  async run() {
    const rows = this.rows.all();
    for (const row of rows) if (row.cleanup) await this.#cleanUp(row);
    const todo = rows.filter((row) => !row.failed);
    // A run that ended between two steps: the server looks what became of them before we do.
    await this.#reconcile(new Set(todo.flatMap((row) => (row.album && row.step !== "new" ? [row.album] : []))));
    await this.#sendImages(todo.filter((row) => row.product === null));
    await this.#sendForProducts(todo.filter((row) => row.product !== null));
    await this.#reconcile(this.#lostIn);
  }

  /** What `step` answers; false when it didn't get through, which is noted. @param {Row} row @param {(row: Row) => Promise<boolean>} step */
  async #attempt(row, step) {
    if (this.#isOffline) return false;
    this.signal.throwIfAborted();
    try {
      return await step(row);
    } catch (error) {
      if (error instanceof NotEnrolled || error instanceof NotAllowed) throw error;
      if (error instanceof ServerUnavailable) await this.#postpone([row], error);
      else if (error instanceof Refused || error instanceof Failure) await this.#fail(row, error);
      else throw error;
      return false;
    }
  }

  /** @param {readonly Row[]} rows @param {ServerUnavailable} error */
  async #postpone(rows, error) {
    this.postponed = error;
    for (const { id, tries, album } of rows) {
      await this.rows.note(id, { tries: tries + 1, error: error.message.slice(0, 500) });
      if (album) this.#lostIn.add(album);
    }
    this.#isOffline = !(await this.http.isReached());
  }

  /** @param {Row} row @param {Error} error */
  async #fail(row, error) {
    this.report(error);
    const isKnown = row.product !== null;
    await this.rows.note(row.id, {
      failed: true,
      cleanup: isKnown,
      error: error.message.slice(0, 500),
      tries: row.tries + 1,
    });
    if (isKnown) await this.#cleanUp(row);
  }

  /** @param {Row} row */
  async #finish(row) {
    await this.rows.done(row.id);
    this.sent += 1;
  }

  /** @param {Row} row @returns {Promise<ArrayBuffer>} */
  async #bytesOf(row) {
    const bytes = await this.rows.bytes(row.hash);
    if (!bytes) throw new Failure("the picture's bytes are gone or damaged");
    return bytes;
  }

  // --- For no product -----------------------------------------------------------------------------------------------
  /** @param {readonly Row[]} rows */
  async #sendImages(rows) {
    for (let start = 0; start < rows.length && !this.#isOffline; start += ASKED_AT_ONCE) {
      const part = rows.slice(start, start + ASKED_AT_ONCE);
      try {
        const answer = await this.#post("/api/images/missing", { hashes: part.map((row) => row.hash) });
        if (!Array.isArray(answer.missing)) throw new UnexpectedAnswer();
        for (const row of part) {
          if (answer.missing.includes(row.hash)) await this.#attempt(row, this.#sendImage);
          else await this.#finish(row);
        }
      } catch (error) {
        if (!(error instanceof ServerUnavailable)) throw error;
        await this.#postpone(part, error);
      }
    }
  }

  /** @param {Row} row */
  #sendImage = async (row) => {
    const headers = { "Content-Type": "image/jpeg" };
    const { bytes } = await this.http.request("POST", "/api/images", {
      body: await this.#bytesOf(row),
      headers,
      signal: this.signal,
    });
    const { hash } = read(bytes);
    if (typeof hash !== "string") throw new UnexpectedAnswer();
    if (hash !== row.hash) throw new Failure(`the server made another picture of it: ${hash}`);
    await this.#finish(row);
    return true;
  };

  // --- For a product ------------------------------------------------------------------------------------------------
  /** Those of one product one after the other: it is to show the last, whichever is processed sooner. @param {Row[]} rows */
  async #sendForProducts(rows) {
    let left = rows;
    while (left.length && !this.#isOffline) {
      const firsts = left.filter((row, at) => left.findIndex((other) => other.product === row.product) === at);
      /** @type {Row[]} */
      const asked = [];
      for (const row of firsts.filter(this.#isWaiting))
        if (await this.#attempt(row, this.#sendForProduct)) asked.push(row);
      await this.#watch(asked);
      const waiting = new Set(this.rows.all().flatMap((row) => (row.failed ? [] : [`${row.hash} ${row.product}`])));
      const heldUp = new Set(firsts.flatMap((row) => (waiting.has(`${row.hash} ${row.product}`) ? [row.product] : [])));
      left = left.filter((row) => !firsts.includes(row) && !heldUp.has(row.product));
    }
  }

  /** True, once the server was asked to process it. @param {Row} row */
  #sendForProduct = async (row) => {
    if (row.step === "asked" && (await this.#isKnown(row))) return true;
    for (let attempt = 0; attempt < ALBUM_TRIES; attempt += 1) {
      const album = await this.#album();
      await this.rows.note(row.id, { step: "registered", album });
      try {
        await this.#deliver(album, row);
        await this.rows.note(row.id, { step: "asked" });
        return true;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        if (error.code === "conflict") {
          await this.rows.renumber(row.id); // the id is known with another album or product, and of no use any more
          throw new ServerUnavailable("the id was taken; the next time with another one");
        }
        if (error.code !== "not_found" && error.code !== "album_full") throw error;
        this.album = null;
      }
    }
    throw new ServerUnavailable("the server doesn't get along with this upload");
  };

  /** The album that photos for products go into. @type {string | null} */
  album = null;

  async #album() {
    this.album ??= this.rows.all().find((row) => row.album)?.album ?? null;
    if (this.album === null) {
      const { id } = await this.#post("/api/albums", { name: "Sent by a terminal" });
      if (typeof id !== "string") throw new UnexpectedAnswer();
      this.album = id;
    }
    return this.album;
  }

  /** Registers the photo, sends its bytes when the server wants them, has it processed. @param {string} album @param {Row} row */
  async #deliver(album, { id, filename, size, hash, product }) {
    const declaration = { id, filename, content_type: "image/jpeg", size, sha256: hash, product };
    for (let start = 0; start < FRESH_STARTS; start += 1) {
      const registered = await this.#post(`/api/albums/${album}/photos`, declaration);
      const { upload } = registered;
      if (registered.id !== id || (upload !== null && typeof upload?.url !== "string")) throw new UnexpectedAnswer();
      try {
        if (upload) await this.#put(upload, await this.#bytesOf(/** @type {Row} */ ({ hash })));
        const asked = await this.#post(`/api/photos/${id}/process`);
        if (asked.id !== id) throw new UnexpectedAnswer();
        return;
      } catch (error) {
        if (!(error instanceof Refused) || !["upload_expired", "not_uploaded"].includes(error.code)) throw error;
        if (!upload) await this.#forget(id); // it had failed, and its original is gone
      }
    }
    throw new ServerUnavailable("the server doesn't get along with this upload");
  }

  /** A refusal is about this address only: never NotEnrolled or NotAllowed. @param {any} upload @param {ArrayBuffer} body */
  async #put({ method, url, headers }, body) {
    try {
      await this.http.request(method, url, { body, headers, anonymous: true, signal: this.signal });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.status === 412) return; // an earlier try arrived
      // A bucket answers in words of its own when an address has expired.
      const isExpired = error.status === 403 && error.code === "unexpected_answer";
      throw new Refused(error.status, isExpired ? "upload_expired" : error.code, error.detail);
    }
  }

  /** Whether the server still has the photo and its bytes; after a restored backup it may not. @param {Row} row */
  async #isKnown(row) {
    try {
      return (await this.#state(row)).status !== "pending";
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return false;
      throw error;
    }
  }

  /** @param {Row} row */
  async #state({ id }) {
    const state = await this.http.getJson(`/api/photos/${id}`, { signal: this.signal });
    if (state?.id !== id || typeof state.status !== "string") throw new UnexpectedAnswer();
    return state;
  }

  /** Until each is ready or failed, or the time is over: then it is looked at with the next run. @param {Row[]} rows */
  async #watch(rows) {
    let [left, pause] = [rows, 100];
    for (;;) {
      /** @type {Row[]} */
      const still = [];
      for (const row of left.filter(this.#isWaiting)) if (await this.#attempt(row, this.#isUnderWay)) still.push(row);
      left = still;
      if (!left.length || this.#watched <= 0) return;
      await this.#pause(pause);
      this.#watched -= pause;
      pause = Math.min(pause * 1.5, 2_000);
    }
  }

  /** Whether nobody took it back meanwhile. @param {Row} row */
  #isWaiting = (row) => this.rows.all().some(({ id, failed }) => id === row.id && !failed);

  /** Whether the server still has to process the photo; finishes one that is ready. @param {Row} row */
  #isUnderWay = async (row) => {
    /** @type {any} */
    let now;
    try {
      now = await this.#state(row);
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 404) throw error;
      await this.rows.note(row.id, { step: "new" });
      throw new ServerUnavailable("the server has forgotten this photo; it begins anew the next time");
    }
    if (now.status === "failed") throw new Failure(`the server couldn't process it: ${now.error}`);
    if (now.status !== "ready") return true;
    if (now.hash !== row.hash) this.report(new Failure(`the server made ${now.hash} of the photo ${row.hash}`));
    await this.#finish(row);
    return false;
  };

  // --- When something was lost --------------------------------------------------------------------------------------
  /** The server compares its records with what was sent. A hint: we don't depend on it. @param {Set<string>} albums */
  async #reconcile(albums) {
    for (const album of albums) {
      await this.#post(`/api/albums/${album}/reconcile`).catch((error) => {
        if (error instanceof NotEnrolled || error instanceof NotAllowed) throw error;
        this.report(error);
      });
    }
  }

  /** The server forgets the photo: three tries now, and again with the next run. @param {Row} row */
  async #cleanUp({ id }) {
    for (let attempt = 1; attempt <= CLEANUP_TRIES && !this.#isOffline; attempt += 1) {
      try {
        await this.#forget(id);
        return await this.rows.cleaned(id);
      } catch (error) {
        if (error instanceof NotEnrolled || error instanceof NotAllowed) throw error;
        if (error instanceof Refused) return this.report(error);
        if (!(error instanceof ServerUnavailable)) throw error;
        if (attempt < CLEANUP_TRIES) await this.#pause(Math.random() * 200 * 2 ** attempt);
        else this.postponed = error;
      }
    }
  }

  /** The photo and its original go, never a picture; also when it isn't known. @param {string} id */
  async #forget(id) {
    const { status } = await this.http.request("DELETE", `/api/photos/${id}`, { signal: this.signal });
    if (status !== 204) throw new UnexpectedAnswer();
  }

  /** @param {number} ms at most: an end of `signal` ends it @returns {Promise<void>} */
  #pause(ms) {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.signal.addEventListener("abort", end);
    });
  }

  /** @param {string} path @param {any} [json] */
  async #post(path, json) {
    const answer = await this.http.postJson(path, json, { signal: this.signal });
    if (typeof answer !== "object" || answer === null) throw new UnexpectedAnswer();
    return answer;
  }
}

/** @param {ArrayBuffer} bytes */
function read(bytes) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) ?? {};
  } catch {
    throw new UnexpectedAnswer();
  }
}
