// The tabs of one browser agree on who is connected. Each claim has a higher term than all before it, and who hears of
// a higher one stops at once; two of the same term are told apart by their ids. A visible tab comes before a hidden
// one, whose timers a browser may hold back for a minute.

import { Listeners } from "./resources.js";

/** @import { Unsubscribe } from "./types.js" */

const ALIVE = 2_000; // ms between two signs of life of the connected tab
const DEAD = 6_000; // ms of silence after which a visible tab succeeds it: with the next look, within 10 s
const DEAD_TO_HIDDEN = 75_000; // ms after which a hidden one does: timers of hidden tabs may run once a minute
const ANSWER = 150; // ms that a new tab waits for the connected one to answer

/**
 * @typedef {object} Channel a BroadcastChannel, or what stands for one
 * @property {((event: {data: any}) => void) | null} onmessage
 * @property {(message: any) => void} postMessage
 * @property {() => void} close
 */

export class Tabs {
  id = Math.random().toString(36).slice(2) + Date.now().toString(36);
  /** @type {Channel | null} */ #channel;
  /** @type {() => boolean} */ #isVisible;
  #term = 0; // the highest that was heard of
  #mine = 0; // of our claim; 0: we aren't connected
  /** @type {{id: string, term: number, isVisible: boolean, heardAt: number} | null} */ #connected = null;
  #changed = new Listeners();
  /** @type {Map<string, Listeners>} */ #topics = new Map();
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #soon;
  #ticks = new Listeners();

  /** @param {{channel?: Channel | null, isVisible?: () => boolean}} [options] without a channel it is alone */
  constructor({ channel = null, isVisible = () => globalThis.document?.visibilityState !== "hidden" } = {}) {
    this.#channel = channel;
    this.#isVisible = isVisible;
  }

  isConnected = () => this.#mine > 0;

  /** @param {() => void} fn when that changed */
  subscribe = (fn) => this.#changed.add(fn);

  /** @param {() => void} fn every two seconds, unless the browser holds timers back */
  onTick = (fn) => this.#ticks.add(fn);

  /** @param {string} topic @param {any} [data] for the other tabs */
  tell(topic, data) {
    this.#post({ kind: "told", topic, data });
  }

  /** @param {string} topic @param {(data: any) => void} fn @returns {Unsubscribe} */
  listen(topic, fn) {
    const listeners = this.#topics.get(topic) ?? new Listeners();
    this.#topics.set(topic, listeners);
    return listeners.add(fn);
  }

  /** Looks for the connected tab, and becomes it when there is none. */
  start() {
    if (this.#timer) return;
    this.#timer = setInterval(() => this.#tick(), ALIVE);
    if (!this.#channel) return this.#claim();
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    this.#post({ kind: "who" });
    this.#claimIn(ANSWER);
  }

  /** The page goes away, for a while or for ever; `start` brings it back. */
  stop() {
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    this.#timer = undefined;
    if (this.#mine) this.#post({ kind: "bye", id: this.id });
    this.#connected = null;
    this.#resign();
  }

  close() {
    this.stop();
    this.#channel?.close();
    this.#channel = null;
  }

  /** The page was shown or hidden. */
  look() {
    if (!this.#timer) return;
    if (this.#mine) return this.#sayAlive();
    if (!this.#isVisible()) return;
    if (this.#connected && !this.#connected.isVisible) return this.#claim();
    this.#post({ kind: "who" }); // no answer, and it is dead
    this.#claimIn(5 * ANSWER);
  }

  #tick() {
    if (this.#mine) this.#sayAlive();
    else {
      const silence = this.#connected ? Math.abs(Date.now() - this.#connected.heardAt) : Infinity;
      if (silence > (this.#isVisible() ? DEAD : DEAD_TO_HIDDEN)) this.#claim();
    }
    this.#ticks.tell();
  }

  /** @param {any} message */
  #hear(message) {
    const { kind, id } = message ?? {};
    if (kind === "told") this.#topics.get(message.topic)?.tell(message.data);
    else if (kind === "who" && this.#mine) this.#sayAlive();
    else if (kind === "alive") this.#hearAlive(message);
    else if (kind === "bye" && this.#connected?.id === id) {
      this.#connected = null;
      this.#claimIn((this.#isVisible() ? 50 : 500) * (1 + Math.random())); // all tabs hear of it
    }
  }

  /** @param {{id: string, term: number, isVisible: boolean}} other */
  #hearAlive({ id, term, isVisible }) {
    this.#term = Math.max(this.#term, term);
    const isOver = (/** @type {{id: string, term: number}} */ one) =>
      term > one.term || (term === one.term && id > one.id);
    if (this.#mine && !isOver({ id: this.id, term: this.#mine })) return this.#sayAlive(); // it doesn't know yet
    if (this.#connected && this.#connected.id !== id && !isOver(this.#connected)) return;
    this.#connected = { id, term, isVisible, heardAt: Date.now() };
    clearTimeout(this.#soon);
    this.#resign();
    if (!isVisible && this.#isVisible()) this.#claim();
  }

  /** @param {number} milliseconds unless somebody is heard until then */
  #claimIn(milliseconds) {
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => this.#claim(), milliseconds);
  }

  #claim() {
    clearTimeout(this.#soon);
    if (this.#mine) return;
    this.#term += 1;
    this.#mine = this.#term;
    this.#connected = null;
    this.#sayAlive();
    this.#changed.tell();
  }

  #resign() {
    if (!this.#mine) return;
    this.#mine = 0;
    this.#changed.tell();
  }

  #sayAlive() {
    this.#post({ kind: "alive", id: this.id, term: this.#mine, isVisible: this.#isVisible() });
  }

  /** @param {any} message */
  #post(message) {
    this.#channel?.postMessage(message);
  }
}

/**
 * The way to the other tabs of this browser; null: there is none.
 *
 * @param {string} name @param {Channel | null} [given] instead of the browser's @returns {Channel | null}
 */
export function channelOf(name, given) {
  if (given !== undefined) return given;
  return globalThis.BroadcastChannel ? /** @type {any} */ (new BroadcastChannel(name)) : null;
}

/**
 * Calls `wake` when a page that slept is awake, or the network came or went; has `tabs` rest while the page does.
 *
 * @param {Tabs} tabs @param {() => void} wake @param {readonly string[]} [also] events of the window that wake, too
 * @returns {Unsubscribe}
 */
export function followBrowser(tabs, wake, also = []) {
  /** @type {(() => void)[]} */
  const endings = [];
  const on = (
    /** @type {EventTarget | undefined} */ target,
    /** @type {string} */ event,
    /** @type {() => void} */ fn,
  ) => {
    if (!target?.addEventListener) return;
    target.addEventListener(event, fn);
    endings.push(() => target.removeEventListener(event, fn));
  };
  const back = () => {
    tabs.start(); // after a rest in the browser's cache of pages
    wake();
  };
  on(globalThis.document, "visibilitychange", () => {
    tabs.look();
    if (globalThis.document.visibilityState === "visible") wake();
  });
  for (const event of ["online", "offline", ...also]) on(globalThis, event, wake);
  on(globalThis, "pageshow", back);
  on(globalThis.document, "resume", back);
  on(globalThis, "pagehide", () => tabs.stop());
  on(globalThis.document, "freeze", () => tabs.stop());
  return () => {
    for (const end of endings.splice(0)) end();
  };
}
