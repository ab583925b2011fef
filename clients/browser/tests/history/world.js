// A server of one history, as `GET /api/history/sync` tells of it, and the device of a login that reads it.

import { HISTORY_SHAPES, History } from "../../src/history/history.js";
import { MemoryDatabase } from "../../src/memory.js";
import { bytesOf, deferred, hashOf, narrower, until } from "../images/world.js";
import { json, problem } from "../world.js";

export { json, problem, until };

export const OWNER = 7;
const E1 = "0a5e1f6e-0000-4000-8000-000000000001";

/** `answer`: what is answered to an address instead; `held`: originals wait until `let()`. */
export class HistoryServer {
  epoch = E1;
  version = 0;
  owner = OWNER;
  isAway = false;
  page = 100; // changes of one answer
  answer = () => null;
  asked = [];
  originals = [];
  held = null;
  #items = new Map();
  #log = []; // ids, one for each version
  #bytes = new Map();

  /** Adds or changes an item; its original has these bytes. */
  put(id, { bytes, ...more } = {}) {
    const original = bytes ?? bytesOf(`original of ${id}`, 200);
    const digest = hashOf(Buffer.from(original));
    const r2_key = `images/${OWNER}/1700000000000_${digest}.jpg`;
    this.#bytes.set(r2_key, original);
    const before = this.#items.get(id);
    const timestamp = `2026-01-01T00:00:${String(this.#items.size).padStart(2, "0")}Z`;
    const item = { id, status: "ready", favorite: false, r2_key, hash: hashOf(id), timestamp, ...before, ...more };
    this.#items.set(id, item);
    this.#log.push(id);
    this.version += 1;
    return item;
  }

  remove(id) {
    this.#items.delete(id);
    this.#log.push(id);
    this.version += 1;
  }

  hold() {
    this.held = deferred();
  }

  let() {
    this.held?.resolve();
    this.held = null;
  }

  fetch = async (address, { signal, method = "GET" } = {}) => {
    if (this.isAway) throw new TypeError("Failed to fetch");
    const url = new URL(address, "http://pos.example");
    this.asked.push(`${method} ${url.pathname}${url.search}`);
    const own = await this.answer(url);
    if (own) return own;
    if (url.pathname === "/livez") return new Response("ok\n");
    if (url.pathname === "/api/history/sync") return this.#sync(url.searchParams);
    if (url.pathname.startsWith("/api/r2/image/")) return await this.#original(url.pathname.slice(14), signal);
    const hash = url.pathname.slice("/api/image/".length, -".jpg".length);
    return narrower(hash, url.searchParams.get("w"));
  };

  #sync(params) {
    const since = Number(params.get("since"));
    const { epoch, owner, version: head } = this;
    const given = params.get("epoch");
    if (since > head || (given && given !== epoch)) return problem(410, "resync_required");
    if (!since) return json({ epoch, owner, head, version: head, items: [...this.#items.values()], deleted: [] });
    const version = Math.min(head, since + this.page);
    const ids = [...new Set(this.#log.slice(since, version))];
    const items = ids.flatMap((id) => this.#items.get(id) ?? []);
    return json({ epoch, owner, head, version, items, deleted: ids.filter((id) => !this.#items.has(id)) });
  }

  async #original(key, signal) {
    this.originals.push(key);
    const ended = new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    if (this.held) await Promise.race([this.held.promise, ended]);
    const response = new Response(this.#bytes.get(key), { headers: { "content-type": "image/jpeg" } });
    Object.defineProperty(response, "url", { value: `http://pos.example/api/r2/image/${key}` });
    return response;
  }
}

export const databases = (kept = {}) =>
  Object.fromEntries(
    Object.entries(HISTORY_SHAPES).map(([part, shape]) => [
      part,
      kept[part] ?? new MemoryDatabase(`test-${part}`, shape),
    ]),
  );

const opened = [];

/** The page of a login; `login` may be replaced, as a log-in replaces it. */
export async function open(server, { kept = databases(), user = OWNER, login = () => "one", ...world } = {}) {
  const times = { soon: 5, seldom: 20 };
  const given = { fetch: server.fetch, channel: null, databases: kept, isVisible: () => true, times, ...world };
  const history = await History.open({ user, login, base: "http://pos.example", world: given });
  // As a browser's decoder.
  history.thumbnails.downloads.widthOf = async ({ width }) => width;
  opened.push(history);
  return history;
}

export const closeAll = () => Promise.all(opened.splice(0).map((history) => history.close()));
export const ids = (history) => history.items.getSnapshot().map(({ id }) => id);
export const inState = (history, state) => until(() => history.connection.getSnapshot().state === state);
export const isComplete = (history, count) =>
  until(() => {
    const { state, stored } = history.offline.getSnapshot();
    return state === "complete" && stored === count;
  });
