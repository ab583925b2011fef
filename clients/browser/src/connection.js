// The states of the protocol: connecting, catching up, live, waiting, stopped. One connection for all tabs of a
// browser; in the others it mirrors the one that is connected.

import { Backoff } from "./backoff.js";
import { NotAllowed, NotEnrolled, RedCoralError, ServerUnavailable, UnexpectedAnswer } from "./errors.js";
import { Listeners, Value } from "./resources.js";
import { Rules } from "./rules.js";
import { Settling } from "./settling.js";
import { Overtaken } from "./store.js";
import { EventStream, hear } from "./stream.js";

/** @import { ConnectionSnapshot } from "./types.js" */
/** @import { Http } from "./http.js" */
/** @import { CopyStore } from "./store.js" */
/** @import { Tabs } from "./tabs.js" */

/** Milliseconds. */
export const TIMES = {
  silence: 30_000, // without a byte a stream is dead
  doubt: 17_000, // the server says something every 15 s: whoever looks at us should know by now
  patience: 10_000, // for the first byte of a stream
  poll: 15_000, // between two questions where streams don't get through
  streamAgain: 240_000, // and then a stream is tried again
  probe: 2_500, // between two looks for a server that is away, while somebody looks at us
  step: 40, // at least from one transaction to the next: 25 in a second
};

const MOST_STRIKES = 3; // answers without what they need at the same cursor

/** Why a connection was given up by us, though nothing failed. */
class Interrupted extends Error {}

export class Connection {
  /** @type {Value<ConnectionSnapshot>} */ state;
  #backoff = new Backoff();
  #asking;
  #connected = new Listeners();
  #isClosed = false;
  #isStopped = false;
  #swallowed = 0; // streams that were let in and said nothing, though the server answers
  #strikes = { cursor: /** @type {string | null} */ (null), count: 0, resource: /** @type {string | null} */ (null) };
  /** @type {AbortController} */ #life = new AbortController();
  /** @type {EventStream | null} */ #stream = null;
  /** @type {(isHurried: boolean) => void} */ #wake = () => {};
  #tickedAt = Date.now();
  #isProbing = false;
  #notBefore = 0; // what the server asked for in `Retry-After`
  #writtenAt = 0;
  /** @type {Promise<void> | null} */ #running = null;

  /**
   * @param {object} parts
   * @param {Http} parts.http
   * @param {CopyStore} parts.store
   * @param {Tabs} parts.tabs
   * @param {(error: unknown) => void} parts.report
   * @param {() => boolean} [parts.isVisible]
   * @param {boolean} [parts.isPolling] never tries a stream
   * @param {typeof TIMES} [parts.times]
   */
  constructor({ http, store, tabs, report, isVisible = () => true, isPolling = false, times = TIMES }) {
    this.http = http;
    this.store = store;
    this.tabs = tabs;
    this.report = report;
    this.isVisible = isVisible;
    this.isPolling = isPolling;
    this.times = times;
    this.#asking = new Settling(http, store);
    this.state = new Value(
      Object.freeze({
        state: /** @type {const} */ ("connecting"),
        since: Date.now(),
        asOf: store.held.lastSyncTime,
        reason: null,
        retryAt: null,
        isConnectedTab: false,
        isPolling,
        missing: store.missing,
        failures: 0,
      }),
    );
    tabs.subscribe(() => this.#tabsChanged());
    tabs.onTick(() => this.#tick());
    tabs.listen("connection", (said) => this.#mirror(said).catch(report));
    tabs.listen("connection?", () => this.tabs.isConnected() && this.#tell());
    tabs.listen("hurry", () => this.tabs.isConnected() && this.hurry());
  }

  /** @param {() => void} fn the server let us in, after each time that it did */
  onConnected = (fn) => this.#connected.add(fn);

  start() {
    this.#running ??= this.#run();
    this.tabs.start();
    this.tabs.tell("connection?");
  }

  /** Connects now instead of later, also when it was stopped: whoever calls it knows better. */
  hurry() {
    if (!this.tabs.isConnected()) this.tabs.tell("hurry");
    this.#isStopped = false;
    this.#wake(true);
  }

  /** Begins again from what is stored. */
  restart() {
    this.#life.abort(new Interrupted("begins again"));
    this.hurry();
  }

  /** The page was shown again, the network came back: whatever is dead shows now. */
  wake() {
    if (!this.tabs.isConnected() || this.#isStopped) return;
    if (this.#stream && this.#silence() > this.times.doubt) this.#life.abort(new Interrupted("woken"));
    else if (this.#stream) this.#probe();
    else if (this.state.getSnapshot().state === "waiting" && Date.now() >= this.#notBefore) this.hurry();
  }

  async close() {
    this.#isClosed = true;
    this.#life.abort(new Interrupted("closed"));
    this.#wake(false);
    await this.#running;
  }

  // --- One connection after the other -----------------------------------------------------------------------------------

  async #run() {
    while (!this.#isClosed) {
      if (!this.tabs.isConnected() || this.#isStopped) {
        await this.#sleep(null);
        continue;
      }
      this.#life = new AbortController();
      const began = Date.now();
      let wait = 0;
      let isAway = false;
      try {
        await this.store.refresh();
        wait = this.isPolling || this.#swallowed >= 2 ? await this.#poll() : await this.#listen();
      } catch (error) {
        if (this.#isClosed || !this.tabs.isConnected()) continue;
        if (error instanceof Overtaken || this.#life.signal.reason instanceof Interrupted) continue;
        isAway = this.#isAway(error);
        wait = await this.#failed(error, began);
      }
      if (!this.#isStopped) await this.#wait(wait, isAway);
    }
  }

  /** Carries one stream until it ends in order; returns how long to wait until the next one. */
  async #listen() {
    const { silence, patience } = this.times;
    const { signal } = this.#life;
    const rules = this.#rules();
    const resumed = rules.cursor !== null;
    this.#set({ state: "connecting", retryAt: null, isPolling: false });
    const stream = new EventStream(this.http, {
      cursor: rules.cursor,
      resources: this.store.names,
      silence,
      patience,
    });
    signal.addEventListener("abort", () => stream.close(signal.reason), { once: true });
    let isHeard = false;
    try {
      await stream.open();
      const began = Date.now();
      this.#stream = stream;
      for await (const frames of stream) {
        signal.throwIfAborted();
        for (const frame of frames) hear(rules, frame, resumed);
        if (!isHeard) this.#connected.tell();
        isHeard = true;
        this.#swallowed = 0;
        await this.#keepUp(rules, signal, stream);
        if (rules.isCurrent && frames.some(({ event }) => event === "bookmark")) await this.#noteSync();
        await this.#pace();
      }
      signal.throwIfAborted();
      return this.#backoff.ended({ connectedFor: Date.now() - began, retry: stream.retry });
    } catch (error) {
      if (!isHeard && isOneOf(error, "timeout", "no_stream") && (await this.http.isReached())) this.#swallowed += 1;
      throw error;
    } finally {
      stream.close();
      this.#stream = null;
    }
  }

  /** Asks for the heads of the server again and again, until it is time to try a stream. */
  async #poll() {
    const { signal } = this.#life;
    const until = this.isPolling ? Infinity : Date.now() + this.times.streamAgain;
    const rules = this.#rules();
    for (let isFirst = true; Date.now() < until; isFirst = false) {
      if (isFirst) this.#set({ state: "connecting", retryAt: null, isPolling: true });
      try {
        await this.#asking.askStatus(rules, signal);
      } catch (error) {
        // A server that answers, but not this, may be another one than before: what is held counts for nothing.
        if (!(error instanceof ServerUnavailable) || !error.isOurs || error.retryAfter !== null) throw error;
        rules.forget();
      }
      if (isFirst) this.#connected.tell();
      await this.#keepUp(rules, signal, null);
      await this.#noteSync();
      await this.#sleep(this.times.poll);
      signal.throwIfAborted();
    }
    this.#swallowed = 0;
    return 0;
  }

  /** @param {Rules} rules @param {AbortSignal} signal @param {EventStream | null} stream */
  async #keepUp(rules, signal, stream) {
    for (;;) {
      try {
        await this.#asking.run(rules, signal, () => this.#set({ state: "catching up" }));
        this.#writtenAt = Date.now();
        if (rules.missing.length) return;
        if (this.state.getSnapshot().state !== "live") await this.store.noteSync();
        this.#set({ state: "live", reason: null, failures: 0 });
        return;
      } catch (error) {
        // What can't be had just now is asked for again while the stream is there.
        if (!stream || stream.isEnded || !(error instanceof ServerUnavailable) || "concerns" in error) throw error;
        this.report(error);
        this.#set({ state: "catching up", reason: reasonOf(error) });
        await this.#sleep(this.#backoff.failed({ retryAfter: error.retryAfter }));
        signal.throwIfAborted();
      }
    }
  }

  /** What the rules begin from. Answers that failed again and again at this cursor have their resources refetched. */
  #rules() {
    const rules = new Rules(this.store.rulesFrom());
    const { cursor, count, resource } = this.#strikes;
    if (count >= MOST_STRIKES && cursor === rules.cursor && rules.epoch !== null) {
      rules.resync(rules.epoch, {}, resource === null ? this.store.names : [resource], null);
      this.#strikes = { cursor: null, count: 0, resource: null };
    }
    return rules;
  }

  async #noteSync() {
    await this.store.noteSync();
    this.#set({ asOf: this.store.held.lastSyncTime });
  }

  async #pace() {
    const left = this.#writtenAt + this.times.step - Date.now();
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
  }

  // --- When it fails --------------------------------------------------------------------------------------------------

  /** Returns how long to wait. @param {unknown} error @param {number} began */
  async #failed(error, began) {
    this.report(error);
    const reason = reasonOf(error);
    if (error instanceof NotEnrolled || error instanceof NotAllowed) {
      this.#isStopped = true;
      this.#set({ state: "stopped", reason, retryAt: null });
      return 0;
    }
    if (error instanceof UnexpectedAnswer && "concerns" in error) this.#strike(/** @type {any} */ (error.concerns));
    const connectedFor = this.state.getSnapshot().state === "live" ? Date.now() - began : 0;
    const retryAfter = error instanceof ServerUnavailable ? error.retryAfter : null;
    this.#notBefore = Date.now() + (retryAfter ?? 0) * 1000;
    const wait = this.#backoff.failed({ connectedFor, retryAfter });
    this.#set({ reason, failures: this.#backoff.failures });
    return wait;
  }

  /** @param {string | null} resource */
  #strike(resource) {
    const { cursor } = this.store.held;
    const isSame = this.#strikes.count > 0 && this.#strikes.cursor === cursor;
    this.#strikes = { cursor, count: isSame ? this.#strikes.count + 1 : 1, resource };
  }

  /** Whether it wasn't our server that failed: then it is looked for. @param {unknown} error */
  #isAway(error) {
    return error instanceof ServerUnavailable && !error.isOurs && error.retryAfter === null && !("concerns" in error);
  }

  /** @param {number} milliseconds @param {boolean} isAway */
  async #wait(milliseconds, isAway) {
    const until = Date.now() + milliseconds;
    this.#set({ state: "waiting", retryAt: until });
    while (!this.#isClosed && this.tabs.isConnected()) {
      const left = until - Date.now();
      if (left <= 0 || left > milliseconds + 1000) return; // the second: our clock was set back
      const isLooking = isAway && this.isVisible();
      if (await this.#sleep(isLooking ? Math.min(left, this.times.probe) : left)) return;
      if (!isLooking || until - Date.now() < this.times.probe || !(await this.http.isReached())) continue;
      await this.#sleep(Math.random() * 500); // all terminals see it at once
      return;
    }
  }

  /**
   * Whether it was hurried. A `hurry` that comes while nothing waits isn't kept: something is being tried just then.
   *
   * @param {number | null} milliseconds null: until something happens
   */
  async #sleep(milliseconds) {
    if (this.#isClosed) return false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const isHurried = await new Promise((resolve) => {
      this.#wake = resolve;
      if (milliseconds !== null) timer = setTimeout(resolve, milliseconds, false);
    });
    clearTimeout(timer);
    this.#wake = () => {};
    return isHurried;
  }

  // --- Doubts ---------------------------------------------------------------------------------------------------------

  #silence() {
    return this.#stream ? Math.max(0, Date.now() - this.#stream.heardAt) : 0;
  }

  #tick() {
    const now = Date.now();
    const slept = Math.abs(now - this.#tickedAt) > 10_000;
    this.#tickedAt = now;
    if (!this.#stream?.heardAt || !this.tabs.isConnected() || this.#silence() < this.times.doubt) return;
    if (slept) this.#life.abort(new Interrupted("the device slept"));
    else this.#probe();
  }

  /** Breaks the stream when the server can't be reached: it may take half a minute until that shows by itself. */
  async #probe() {
    if (this.#isProbing) return;
    const life = this.#life;
    this.#isProbing = true;
    const isReached = await this.http.isReached();
    this.#isProbing = false;
    if (!isReached && this.#stream) life.abort(new ServerUnavailable("the server isn't reached any more"));
  }

  // --- The other tabs -------------------------------------------------------------------------------------------------

  #tabsChanged() {
    if (this.tabs.isConnected()) this.#set({ state: "connecting" });
    else this.#life.abort(new Interrupted("another tab is connected"));
    this.#wake(false);
  }

  #tell() {
    this.tabs.tell("connection", { snapshot: this.state.getSnapshot(), sequence: this.store.held.sequence });
  }

  /** @param {{snapshot: ConnectionSnapshot, sequence: number}} said by the connected tab */
  async #mirror({ snapshot, sequence }) {
    if (this.tabs.isConnected()) return;
    this.#isStopped = snapshot.state === "stopped";
    this.state.set(Object.freeze({ ...snapshot, isConnectedTab: false }));
    await this.store.reach(sequence);
  }

  /** @param {Partial<ConnectionSnapshot>} change */
  #set(change) {
    const before = this.state.getSnapshot();
    /** @type {ConnectionSnapshot} */
    const after = { ...before, missing: this.store.missing, ...change, isConnectedTab: this.tabs.isConnected() };
    if (after.state !== before.state) Object.assign(after, { since: Date.now(), asOf: this.store.held.lastSyncTime });
    if (after.missing.join() === before.missing.join()) after.missing = before.missing;
    const keys = /** @type {(keyof ConnectionSnapshot)[]} */ (Object.keys(after));
    if (keys.every((key) => Object.is(after[key], before[key]))) return;
    this.state.set(Object.freeze(after));
    if (this.tabs.isConnected()) this.#tell();
  }
}

/** @param {unknown} error @param {string[]} codes */
const isOneOf = (error, ...codes) => error instanceof RedCoralError && codes.includes(error.code);

/** @param {unknown} error */
function reasonOf(error) {
  if (error instanceof RedCoralError) return Object.freeze({ code: error.code, message: error.message });
  return Object.freeze({ code: "failed", message: String(error) });
}
