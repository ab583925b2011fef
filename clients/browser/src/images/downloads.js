// Downloads pictures: four at a time, what is seen first, each by one request however many ask for it. What nobody
// wants any more when its turn comes isn't fetched.

import { inTime } from "../database.js";
import { Closed, ImageDamaged, ImageMissing, Refused } from "../errors.js";
import { ORIGINAL, STORED } from "./bytes.js";
import { isHash, sha256 } from "./sha256.js";

/** @import { Answer, Http } from "../types.js" */
/** @import { Picture, PictureBytes } from "./bytes.js" */

/**
 * `isWanted` is asked when its turn comes, `isSeen` whenever somebody's turn comes. `begins` is called when it does.
 *
 * @typedef {{isWanted: () => boolean, isSeen: () => boolean, begins?: () => void}} Asker
 */

/** @typedef {{picture: Picture, kept: Promise<boolean>}} Arrival  `kept`: whether there is room for it */

/**
 * @typedef {object} Flight
 * @property {string} hash
 * @property {number} width
 * @property {Asker[]} askers
 * @property {Promise<Arrival | null>} arrival
 * @property {(arrival: Arrival | null) => void} resolve
 * @property {(error: unknown) => void} reject
 * @property {Promise<void>} [over] once it has begun: until what came is kept
 */

/**
 * @typedef {object} PictureSource
 * @property {(name: unknown) => name is string} isName whether it can be the name of one of its pictures
 * @property {number} longest ms of one download
 * @property {(http: Http, name: string, width: number, signal: AbortSignal) => Promise<Answer>} ask
 * @property {(answer: Answer, name: string, width: number, widthOf: (picture: Picture) => Promise<number>) =>
 *   Promise<Picture>} check rejects with ImageDamaged, ImageMissing
 */

export const AT_ONCE = 4;
const DECODING = 10_000; // ms
const ASKING = 2_000; // ms after which a tab that downloads a picture is asked whether it still does
const LARGEST = 4 * 1024 * 1024; // bytes; normal form has 2 MiB at most

/** Pictures in normal form, by their hash, as narrow as they are shown. @type {PictureSource} */
export const catalogue = {
  isName: isHash,
  longest: 30_000,

  async ask(http, hash, width, signal) {
    const headers = { Accept: "image/webp,image/jpeg" };
    return await had(
      http.request("GET", `/api/image/${hash}.jpg`, { headers, params: { w: width, format: "webp" }, signal }),
    );
  },

  /**
   * An original has the hash as its digest. A narrower copy is told by its ETag, or by the address in the bucket that
   * the server sent us to; it has the type that it names, and decodes to what was asked for.
   */
  async check(answer, hash, width, widthOf) {
    const { headers, bytes } = answer;
    const type = typeOf(answer);
    const tag = (headers.get("etag") ?? "").replace(/^W\//, "");
    const path = pathOf(answer);
    if (!isWhole(answer, LARGEST)) throw new ImageDamaged();
    if (tag === `"${hash}"` || path.endsWith(`/images/${hash}.jpg`)) {
      if (type !== "image/jpeg" || (await sha256(bytes)) !== hash) throw new ImageDamaged();
      return { bytes, type, width: ORIGINAL };
    }
    const isIt = tag === `"${hash}-${width}-webp"` || path.endsWith(`/images/derived/${hash}_${width}.webp`);
    if (!isIt || type !== "image/webp") throw new ImageDamaged("another picture came than was asked for");
    const picture = { bytes, type, width };
    const decoded = await widthOf(picture).catch(() => 0);
    if (decoded !== width) throw new ImageDamaged();
    return picture;
  },
};

export class Downloads {
  /** @type {Map<string, Flight>} */ #flights = new Map();
  /** @type {Flight[]} */ #waiting = [];
  /** @type {Set<Promise<void>>} */ #flying = new Set();
  #ending = new AbortController();

  /**
   * @param {object} given
   * @param {Http} given.http
   * @param {PictureSource} given.source
   * @param {PictureBytes} given.bytes
   * @param {(hash: string) => boolean} given.isNeeded what doesn't make room for another picture
   * @param {(error: unknown) => void} given.report
   * @param {(picture: Picture) => Promise<number>} [given.widthOf] decodes it, and rejects what is no picture
   */
  constructor({ http, source, bytes, isNeeded, report, widthOf = decodedWidth }) {
    this.http = http;
    this.source = source;
    this.bytes = bytes;
    this.isNeeded = isNeeded;
    this.report = report;
    this.widthOf = widthOf;
  }

  /**
   * The picture, checked; it is being kept. Null when nobody wanted it any more, or another tab has kept it meanwhile.
   * Rejects with ImageMissing, ServerUnavailable, UnexpectedAnswer, ImageDamaged, NotEnrolled, StorageFailed.
   *
   * @param {string} hash @param {number} width @param {Asker} asker @returns {Promise<Arrival | null>}
   */
  async get(hash, width, asker) {
    const under = () => this.#flights.get(hash);
    for (let flight = under(); flight && flight.width < width; flight = under()) {
      if (this.#waiting.includes(flight)) flight.width = width;
      else await flight.over; // of one picture one request at a time
    }
    const flight = under() ?? this.#newFlight(hash, width);
    flight.askers.push(asker);
    if (!this.#waiting.includes(flight)) asker.begins?.();
    this.#begin();
    return await flight.arrival;
  }

  /** What came already is kept before this is over. */
  async close() {
    this.#ending.abort(new Closed());
    for (const flight of this.#waiting.splice(0)) this.#leave(flight);
    await Promise.all(this.#flying);
  }

  /** @param {string} hash @param {number} width @returns {Flight} */
  #newFlight(hash, width) {
    /** @type {Flight["resolve"]} */
    let resolve = () => {};
    /** @type {Flight["reject"]} */
    let reject = () => {};
    const arrival = /** @type {Flight["arrival"]} */ (
      new Promise((...ends) => {
        [resolve, reject] = ends;
      })
    );
    const flight = /** @type {Flight} */ ({ hash, width, askers: [], arrival, resolve, reject });
    this.#flights.set(hash, flight);
    this.#waiting.push(flight);
    return flight;
  }

  /** Nobody waits for it. @param {Flight} flight */
  #leave(flight) {
    this.#flights.delete(flight.hash);
    flight.resolve(null);
  }

  #begin() {
    while (this.#flying.size < AT_ONCE && this.#waiting.length) {
      const left = this.#waiting.filter(({ askers }) => !askers.some((asker) => asker.isWanted()));
      this.#waiting = this.#waiting.filter((flight) => !left.includes(flight));
      for (const flight of left) this.#leave(flight);
      const seen = this.#waiting.findIndex(({ askers }) => askers.some((asker) => asker.isSeen()));
      const [flight] = this.#waiting.splice(Math.max(0, seen), 1);
      if (!flight) return;
      for (const asker of flight.askers) asker.begins?.();
      const over = this.#fly(flight).then(() => {
        this.#flying.delete(over);
        this.#begin();
      });
      flight.over = over;
      this.#flying.add(over);
    }
  }

  /** It lasts until the picture is kept: who asks meanwhile gets what came. @param {Flight} flight */
  async #fly(flight) {
    try {
      const picture = await this.#fetch(flight);
      const kept = picture ? this.#keep(flight.hash, picture) : Promise.resolve(true);
      flight.resolve(picture && { picture, kept });
      await kept;
    } catch (error) {
      flight.reject(error);
    } finally {
      this.#flights.delete(flight.hash);
    }
  }

  /** @param {string} hash @param {Picture} picture */
  async #keep(hash, picture) {
    const isKept = await this.bytes.write(hash, picture, this.isNeeded).catch((error) => {
      this.report(error);
      return false;
    });
    if (!isKept) await this.bytes.release(hash).catch(this.report);
    return isKept;
  }

  /** @param {Flight} flight @returns {Promise<Picture | null>} */
  async #fetch({ hash, width }) {
    /** @type {string | undefined} */
    let lost;
    for (;;) {
      const claim = await this.bytes.claim(hash, width, lost).catch((error) => {
        this.report(error); // without storage it is shown all the same
        return null;
      });
      if (claim === STORED) return null;
      if (claim === null) break;
      if (await this.bytes.isHeld(hash)) await this.#news(hash);
      else lost = claim;
      this.#ending.signal.throwIfAborted();
    }
    try {
      return await this.#download(hash, width);
    } catch (error) {
      await this.bytes.release(hash).catch(this.report);
      throw error;
    }
  }

  /** Waits until another tab is done with a picture, or may be gone. @param {string} hash @returns {Promise<void>} */
  #news(hash) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        end();
        this.#ending.signal.removeEventListener("abort", done);
        resolve();
      };
      const end = this.bytes.onNews((other) => other === hash && done());
      const timer = setTimeout(done, ASKING);
      this.#ending.signal.addEventListener("abort", done);
    });
  }

  /** @param {string} hash @param {number} width @returns {Promise<Picture>} */
  async #download(hash, width) {
    const answer = await this.source.ask(this.http, hash, width, this.#ending.signal);
    return await this.source.check(answer, hash, width, this.widthOf);
  }
}

/** @param {Picture} picture @returns {Promise<number>} */
async function decodedWidth({ bytes, type, width }) {
  if (!globalThis.createImageBitmap) return width;
  const close = (/** @type {ImageBitmap} */ late) => late.close();
  const bitmap = await inTime(createImageBitmap(new Blob([bytes], { type })), DECODING, close);
  const decoded = bitmap.width;
  bitmap.close();
  return decoded;
}

/** @param {Promise<Answer>} asked @returns {Promise<Answer>} */
export async function had(asked) {
  return await asked.catch((error) => {
    throw error instanceof Refused && error.status === 404 && error.code === "not_found" ? new ImageMissing() : error;
  });
}

/** @param {Answer} answer @param {number} largest bytes */
export const isWhole = ({ status, bytes }, largest) =>
  status === 200 && bytes.byteLength > 0 && bytes.byteLength <= largest;

/** @param {Answer} answer */
export const typeOf = ({ headers }) => (headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";

/** @param {Answer} answer where it came from, redirects included */
export const pathOf = ({ url }) => (url ?? "").split(/[?#]/)[0] ?? "";
