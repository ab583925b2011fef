// Requests of our server, each with an end. Only what is recognisably its answer counts: anything else, whatever its
// status, is "not reached", as docs/sync-protocol.md has it.

import { NotAllowed, NotEnrolled, Refused, ServerUnavailable, UnexpectedAnswer } from "./errors.js";

/** @import { Answer, AskOptions } from "./types.js" */

const LONGEST_RETRY_AFTER = 3600; // seconds
const WHOLE = 30_000; // ms until the whole answer is there
const PROBE = 2_000; // ms

export class Http {
  /** @type {typeof globalThis.fetch} */ #fetch;
  /** @type {() => string} */ #csrf;
  /** @type {(milliseconds: number) => void} */ #lookAtClock;

  /**
   * @param {object} [options]
   * @param {string} [options.base] the server's address; the page's own unless told
   * @param {typeof globalThis.fetch} [options.fetch]
   * @param {() => string} [options.csrf] the token that goes with what writes
   * @param {(milliseconds: number) => void} [options.lookAtClock] hears of the server's time, since 1970
   */
  constructor({ base = "", fetch = globalThis.fetch, csrf = csrfToken, lookAtClock = () => {} } = {}) {
    this.base = base.replace(/\/+$/, "");
    this.#fetch = (...of) => fetch(...of); // a browser's own must not become a method
    this.#csrf = csrf;
    this.#lookAtClock = lookAtClock;
  }

  /** @param {string} path of our server, or a whole address */
  url(path) {
    return /^[a-z]+:/i.test(path) ? path : this.base + path;
  }

  /** @param {string} path @param {AskOptions} [options] @returns {Promise<any>} */
  async getJson(path, options) {
    return jsonOf(await this.request("GET", path, options), path);
  }

  /** @param {string} path @param {any} [json] @param {AskOptions} [options] @returns {Promise<any>} */
  async postJson(path, json, options) {
    return jsonOf(await this.request("POST", path, { ...options, json }), path);
  }

  /**
   * The answer, when it is a good one (2xx).
   *
   * @param {string} method @param {string} path @param {AskOptions} [options] @returns {Promise<Answer>}
   */
  async request(method, path, options = {}) {
    return await this.#within(options, async (signal) => {
      const response = await this.#send(method, path, options, signal);
      const bytes = await response.arrayBuffer();
      checked(response, bytes, options.anonymous);
      if (!options.anonymous) this.#noteDate(response);
      return { status: response.status, headers: response.headers, bytes, url: response.url };
    });
  }

  /**
   * The answer with its body still to be read, when it is a good one and of the content type `accept`. It ends when
   * `signal` does; `timeout` is that of its head.
   *
   * @param {string} path @param {AskOptions & {accept: string}} options @returns {Promise<Response>}
   */
  async open(path, { accept, ...options }) {
    const headers = { Accept: accept, ...options.headers };
    const body = new AbortController();
    const response = await this.#within(options, async (signal) => {
      signal.addEventListener("abort", () => body.abort(), { once: true });
      const response = await this.#send("GET", path, { ...options, headers }, body.signal);
      if (response.status !== 200) checked(response, await response.arrayBuffer());
      if (!isOfType(response, accept)) throw new UnexpectedAnswer(`no ${accept} at ${path}`);
      return response;
    }).catch((error) => {
      body.abort();
      throw error;
    });
    this.#noteDate(response);
    options.signal?.addEventListener("abort", () => body.abort(), { once: true });
    return response;
  }

  /** Whether our server answers now. */
  async isReached() {
    try {
      const { status, bytes } = await this.request("GET", "/livez", { timeout: PROBE });
      return status === 200 && textOf(bytes).trim() === "ok";
    } catch {
      return false;
    }
  }

  /**
   * @param {string} method @param {string} path @param {AskOptions} options @param {AbortSignal} signal
   * @returns {Promise<Response>}
   */
  async #send(method, path, { params, json, body, headers, anonymous }, signal) {
    const query = params ? `?${new URLSearchParams(Object.entries(params).map(([key, of]) => [key, String(of)]))}` : "";
    /** @type {Record<string, string>} */
    const sent = { ...(anonymous ? {} : { Accept: "application/json" }), ...headers };
    if (json !== undefined) sent["Content-Type"] = "application/json";
    if (method !== "GET" && method !== "HEAD" && !anonymous) sent["X-CSRFToken"] = this.#csrf();
    return await this.#fetch(this.url(path) + query, {
      method,
      headers: sent,
      body: json === undefined ? (body ?? null) : JSON.stringify(json),
      credentials: anonymous ? "omit" : "same-origin",
      cache: "no-store", // what is kept is kept by us
      signal,
    });
  }

  /**
   * @template T
   * @param {AskOptions} options @param {(signal: AbortSignal) => Promise<T>} work @returns {Promise<T>}
   */
  async #within({ signal, timeout = WHOLE }, work) {
    signal?.throwIfAborted();
    const ending = new AbortController();
    const end = () => ending.abort();
    const timer = setTimeout(end, timeout);
    signal?.addEventListener("abort", end);
    try {
      return await work(ending.signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ServerUnavailable || error instanceof Refused) throw error;
      if (!ending.signal.aborted) throw new ServerUnavailable(String(error));
      throw new ServerUnavailable(`no answer within ${timeout / 1000} s`, { code: "timeout" });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    }
  }

  /** @param {Response} response */
  #noteDate(response) {
    const at = Date.parse(response.headers.get("date") ?? "");
    if (Number.isFinite(at)) this.#lookAtClock(at);
  }
}

/**
 * Raises what an answer that isn't a good one means.
 *
 * @param {Response} response @param {ArrayBuffer} bytes of its body
 * @param {boolean} [foreign] whether it is a bucket's, whose refusals are XML
 */
function checked(response, bytes, foreign = false) {
  const { status } = response;
  if (status >= 200 && status < 300) return;
  const problem = problemOf(response, bytes);
  const code = typeof problem.code === "string" ? problem.code : "";
  if (status === 429 || status >= 500) {
    // A captive portal may ask to come back in an hour: only our own server is obeyed.
    const retryAfter = code || foreign ? retryAfterOf(response) : null;
    throw new ServerUnavailable(`${status} ${code}`.trim(), {
      status,
      detail: String(problem.detail ?? ""),
      retryAfter,
      code: code || "not_reached",
      isOurs: code !== "",
    });
  }
  // A bucket refuses in XML. What is neither its word nor our server's comes from something in between.
  const isBucket = foreign && (status === 412 || /[/+]xml/.test(response.headers.get("content-type") ?? ""));
  if (!code && !isBucket) throw new UnexpectedAnswer(`${status} without a code`, { status });
  if (!code) throw new Refused(status, "unexpected_answer");
  const kind = { 401: NotEnrolled, 403: NotAllowed }[status] ?? Refused;
  throw new kind(status, code, String(problem.detail ?? ""), problem);
}

/** @param {Response} response @param {string} type */
function isOfType(response, type) {
  return (response.headers.get("content-type") ?? "").toLowerCase().startsWith(type);
}

/** @param {Response} response @param {ArrayBuffer} bytes @returns {Record<string, any>} empty when there is none */
function problemOf(response, bytes) {
  if (!isOfType(response, "application/problem+json")) return {};
  try {
    const body = JSON.parse(textOf(bytes));
    return typeof body === "object" && body !== null ? body : {};
  } catch {
    return {};
  }
}

/** @param {Answer} answer @param {string} path */
function jsonOf({ headers, bytes }, path) {
  if (!(headers.get("content-type") ?? "").toLowerCase().startsWith("application/json"))
    throw new UnexpectedAnswer(`no JSON at ${path}`);
  try {
    return JSON.parse(textOf(bytes));
  } catch {
    throw new UnexpectedAnswer(`no JSON at ${path}`);
  }
}

/** @param {Response} response @returns {number | null} seconds */
function retryAfterOf(response) {
  const said = (response.headers.get("retry-after") ?? "").trim();
  const seconds = /^\d+$/.test(said) ? Number(said) : (Date.parse(said) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(0, seconds), LONGEST_RETRY_AFTER) : null;
}

/** @param {ArrayBuffer} bytes */
const textOf = (bytes) => new TextDecoder().decode(bytes);

/** The token that goes with what writes; another one after each log-in and log-out. */
export const csrfToken = () => globalThis.document?.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1] ?? "";
