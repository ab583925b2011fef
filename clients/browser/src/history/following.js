// Keeps a history in step with the server. There is no stream of it: the server is asked every two seconds while a
// picture is being made, else every half minute while the page is seen, and when it is seen again.

import { Backoff } from "../backoff.js";
import { NotAllowed, NotEnrolled, Refused, ServerUnavailable, UnexpectedAnswer } from "../errors.js";
import { Value } from "../resources.js";
import { NOTHING } from "./copy.js";

/** @import { ConnectionState, Http } from "../types.js" */
/** @import { Changes, HistoryCopy } from "./copy.js" */

/**
 * `asOf`: ms, when it was last in step, as of when this state began; null: never. `reason`: why it isn't live.
 *
 * @typedef {{readonly state: ConnectionState, readonly asOf: number | null,
 *   readonly reason: {readonly code: string, readonly message: string} | null}} FollowingSnapshot
 */

export const TIMES = { soon: 2_000, seldom: 30_000 }; // ms
const WHOLE = 60_000; // ms for one answer; ten thousand items are some megabytes

/** Somebody else is logged in now. */
class AnotherLogin extends Refused {
  constructor() {
    super(403, "another_login", "somebody else is logged in");
  }
}

export class Following {
  /** @type {Value<FollowingSnapshot>} */ state = new Value(
    /** @type {FollowingSnapshot} */ (Object.freeze({ state: "connecting", asOf: null, reason: null })),
  );
  #backoff = new Backoff();
  #ending = new AbortController();
  /** @type {Promise<void> | null} */ #looking = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  #login = ""; // that the server last answered to

  /**
   * @param {object} given
   * @param {Http} given.http
   * @param {HistoryCopy} given.copy
   * @param {number} given.user whose history it is
   * @param {() => string} given.login a name of the present login; another one after each log-in and log-out
   * @param {() => boolean} given.isVisible
   * @param {typeof TIMES} [given.times]
   */
  constructor({ http, copy, user, login, isVisible, times = TIMES }) {
    this.http = http;
    this.copy = copy;
    this.user = user;
    this.login = login;
    this.isVisible = isVisible;
    this.times = times;
    this.#login = login();
  }

  /** Asks now. Never rejects. */
  look = () => {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  };

  /** The page is seen again, or the network came or went. */
  wake = () => {
    if (this.isVisible() || this.state.getSnapshot().state === "waiting") void this.look();
  };

  /** An item is under way that wasn't. */
  plan = () => {
    clearTimeout(this.#timer);
    if (this.#ending.signal.aborted || !this.isVisible()) return;
    const isBusy = this.copy.items.getSnapshot().some(({ status }) => status === "pending" || status === "generating");
    this.#timer = setTimeout(this.look, isBusy ? this.times.soon : this.times.seldom);
  };

  async close() {
    clearTimeout(this.#timer);
    this.#ending.abort();
    await this.#looking;
  }

  async #look() {
    clearTimeout(this.#timer);
    const login = this.login();
    if (login !== this.#login) this.copy.hide();
    try {
      await this.#catchUp(login);
      this.#login = login;
      this.#backoff = new Backoff();
      this.#say("live");
      this.plan();
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      this.#failed(/** @type {any} */ (error));
    }
  }

  /** @param {string} login */
  async #catchUp(login) {
    let from = this.copy.held;
    for (let isOver = false; !isOver; ) {
      const { epoch, version } = from;
      const params = { since: version, ...(epoch && version ? { epoch } : {}) };
      const { signal } = this.#ending;
      const changes = await this.http
        .getJson("/api/history/sync", { params, signal, timeout: WHOLE })
        .catch((error) => {
          if (error instanceof Refused && error.status === 410 && version) return null;
          throw error;
        });
      if (changes === null) {
        from = NOTHING; // what is shown stays until everything came
        continue;
      }
      if (!isWellFormed(changes)) throw new UnexpectedAnswer("no history at /api/history/sync");
      if (changes.owner !== this.user) throw new AnotherLogin();
      if (await this.copy.show(login, from)) {
        await this.copy.apply(from, changes);
        isOver = changes.version >= changes.head;
        if (!isOver) this.#say("catching up");
      }
      from = this.copy.held;
    }
    await this.copy.seen(Date.now());
  }

  /** @param {Error & {code?: string, retryAfter?: number | null}} error */
  #failed(error) {
    const reason = { code: error.code ?? "failed", message: error.message };
    const isNobody = error instanceof NotEnrolled || error instanceof NotAllowed || error instanceof AnotherLogin;
    if (error instanceof AnotherLogin) this.copy.hide();
    this.#say(isNobody ? "stopped" : "waiting", reason);
    if (isNobody) return;
    const { retryAfter = null } = error instanceof ServerUnavailable ? error : {};
    const pause = this.times.soon + this.#backoff.failed({ retryAfter });
    const longest = Math.max(this.times.seldom, (retryAfter ?? 0) * 1000); // as when all is well, or as it was told
    this.#timer = setTimeout(this.look, Math.min(pause, longest));
  }

  /** @param {ConnectionState} state @param {FollowingSnapshot["reason"]} [reason] */
  #say(state, reason = null) {
    const now = this.state.getSnapshot();
    if (now.state === state && now.reason?.code === reason?.code) return;
    this.state.set(Object.freeze({ state, asOf: this.copy.asOf, reason: reason && Object.freeze(reason) }));
  }
}

/** @param {any} changes @returns {changes is Changes} */
const isWellFormed = (changes) =>
  typeof changes?.epoch === "string" &&
  Number.isSafeInteger(changes.version) &&
  Number.isSafeInteger(changes.head) &&
  [changes.items, changes.deleted].every(Array.isArray) &&
  changes.items.every((/** @type {any} */ item) => typeof item?.id === "string");
