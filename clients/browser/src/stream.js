// The event stream as lists of frames: all that came while the ones before were applied.

import { createParser } from "../vendor/eventsource-parser.js";
import { RedCoralError, ServerUnavailable, UnexpectedAnswer } from "./errors.js";

/** @import { Change, Frame } from "./types.js" */
/** @import { Http } from "./http.js" */
/** @import { Rules } from "./rules.js" */

const MOST_WAITING = 5000; // frames; with a slower reader the server waits, and then reads its change log for us
const LONGEST_FRAME = 16 * 1024 * 1024; // characters

/** `for await (const frames of stream)`: ends when the server ends it, rejects when it breaks. */
export class EventStream {
  retry = 1000; // ms, as the server last said
  heardAt = Date.now(); // the last byte
  isEnded = false;
  /** @type {Frame[]} */ #frames = [];
  /** @type {unknown} */ #error = null;
  #ending = new AbortController();
  /** @type {() => void} */ #wake = () => {};
  /** @type {() => void} */ #drained = () => {};

  /**
   * @param {Http} http
   * @param {object} what
   * @param {string | null} what.cursor
   * @param {readonly string[] | null} what.resources
   * @param {number} what.silence ms without a byte after which it is dead
   * @param {number} what.patience ms until the first byte
   */
  constructor(http, what) {
    this.http = http;
    this.what = what;
  }

  /** Connects. Rejects with what a request rejects with; `code` `no_stream`: it was let in, and nothing comes. */
  async open() {
    const { cursor, resources, silence, patience } = this.what;
    const began = Date.now();
    const response = await this.http.open("/api/sync/events", {
      accept: "text/event-stream",
      headers: cursor ? { "Last-Event-ID": cursor } : {},
      params: resources ? { resources: [...resources].sort().join(",") } : {},
      signal: this.#ending.signal,
      timeout: patience,
    });
    if (!response.body) throw new UnexpectedAnswer("a stream without a body");
    const reader = response.body.getReader();
    this.#read(reader, began, patience, silence);
  }

  /** Ends it from our side; whoever reads it gets `error`, or the end. @param {Error | null} [error] */
  close(error = null) {
    if (this.isEnded) return;
    this.isEnded = true;
    this.#error = error;
    this.#ending.abort();
    this.#wake();
    this.#drained();
  }

  async *[Symbol.asyncIterator]() {
    for (;;) {
      if (this.#frames.length) {
        const frames = this.#frames;
        this.#frames = [];
        this.#drained();
        yield frames;
      } else if (this.isEnded) {
        if (this.#error) throw this.#error;
        return;
      } else {
        await new Promise((resolve) => {
          this.#wake = () => resolve(null);
        });
      }
    }
  }

  /**
   * @param {ReadableStreamDefaultReader<Uint8Array>} reader @param {number} began @param {number} patience
   * @param {number} silence
   */
  async #read(reader, began, patience, silence) {
    const stopWatching = this.#watch(began, patience, silence);
    const text = new TextDecoder();
    const parser = this.#parser();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        this.heardAt = Date.now();
        parser.feed(text.decode(value, { stream: true }));
        if (this.#frames.length) this.#wake();
        if (this.#frames.length > MOST_WAITING)
          await new Promise((resolve) => {
            this.#drained = () => resolve(null);
          });
        if (this.isEnded) break;
      }
      this.close();
    } catch (error) {
      this.close(error instanceof RedCoralError ? error : new ServerUnavailable(`the stream broke: ${error}`));
    } finally {
      stopWatching();
      reader.cancel().catch(() => {});
    }
  }

  #parser() {
    /** @type {string | null} */
    let id = null;
    return createParser({
      maxBufferSize: LONGEST_FRAME,
      onId: (said) => {
        id = said || null;
      },
      onEvent: ({ event = "message", data }) => {
        if (data) this.#frames.push(readFrame(event, id, data));
      },
      onRetry: (retry) => {
        this.retry = retry;
      },
      onError: (error) => {
        if (error.type === "max-buffer-size-exceeded") throw about(null, "a frame without end");
      },
    });
  }

  /** Ends it after silence. @param {number} began @param {number} patience @param {number} silence */
  #watch(began, patience, silence) {
    /** @type {ReturnType<typeof setTimeout>} */
    let timer;
    this.heardAt = 0;
    const look = () => {
      const now = Date.now();
      if (!this.heardAt) {
        if (now - began >= patience)
          return this.close(new ServerUnavailable("let in, and nothing came", { code: "no_stream" }));
        timer = setTimeout(look, began + patience - now);
        return undefined;
      }
      if (this.heardAt > now) this.heardAt = now; // our clock was set back
      if (now - this.heardAt >= silence)
        return this.close(new ServerUnavailable(`${silence / 1000} s of silence`, { code: "silence" }));
      timer = setTimeout(look, this.heardAt + silence - now);
      return undefined;
    };
    look();
    return () => clearTimeout(timer);
  }
}

/**
 * Tells the rules of a frame. Unknown events are how the protocol grows.
 *
 * @param {Rules} rules @param {Frame} frame @param {boolean} resumed
 */
export function hear(rules, { event, id, data }, resumed) {
  if (event === "sync") rules.sync(data.change, { cut: data.cut, cursor: id });
  else if (event === "hello") rules.hello(data.epoch, data.versions, id, { resumed });
  else if (event === "bookmark") rules.bookmark(data.epoch, data.versions, id);
  else if (event === "resync") rules.resync(data.epoch, data.versions, data.resources, id);
}

/**
 * A frame that has all it needs. What it doesn't need isn't looked at.
 *
 * @param {string} event @param {string | null} id @param {string} text @returns {Frame}
 */
export function readFrame(event, id, text) {
  if (!["hello", "sync", "bookmark", "resync"].includes(event)) return { event, id, data: null };
  const data = objectOf(parsed(text), `a frame ${event}`);
  if (event === "sync") return { event, id, data: { change: changeOf(data.resource, data), cut: data.cut === true } };
  const { epoch, versions, resources } = data;
  if (event === "resync" && !(Array.isArray(resources) && resources.every((name) => typeof name === "string")))
    throw about(null, "a resync that doesn't name its resources");
  return { event, id, data: { ...headsOf(epoch, versions), resources } };
}

/** @param {any} epoch @param {any} versions @returns {{epoch: string, versions: Record<string, number>}} */
export function headsOf(epoch, versions) {
  if (typeof epoch !== "string" || !epoch) throw about(null, "an answer without an epoch");
  for (const version of Object.values(objectOf(versions, "versions"))) numberOf(version, "a version");
  return { epoch, versions };
}

/** @param {any} resource @param {any} change @returns {Change} */
export function changeOf(resource, { action, id, version, data = null }) {
  if (typeof resource !== "string" || typeof action !== "string" || typeof id !== "string" || !id)
    throw about(resource, "a change without what it needs");
  if (!Number.isSafeInteger(version) || version < 0) throw about(resource, "a change without a version");
  if (data !== null && (typeof data !== "object" || data.id !== id))
    throw about(resource, "a change of another object");
  return { resource, action: /** @type {any} */ (action), id, version, data };
}

/** An answer without what it needs. @param {any} resource that it concerns; none: all @param {string} message */
export function about(resource, message) {
  return Object.assign(new UnexpectedAnswer(message), { concerns: typeof resource === "string" ? resource : null });
}

/** @param {any} value @param {string} what @returns {number} */
export function numberOf(value, what) {
  if (!Number.isSafeInteger(value) || value < 0) throw about(null, `${what} that is none`);
  return value;
}

/** @param {any} value @param {string} what @returns {Record<string, any>} */
export function objectOf(value, what) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw about(null, `${what} of no shape`);
  return value;
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw about(null, "a frame that can't be read");
  }
}
