// A world for pictures: tabs that hear each other, and a server that can be told what to answer.

import { createHash } from "node:crypto";
import { SHAPES } from "../../src/database.js";
import { ServerUnavailable } from "../../src/errors.js";
import { Http } from "../../src/http.js";
import { Images } from "../../src/images/cache.js";
import { MemoryDatabase } from "../../src/memory.js";

export const hashOf = (bytes) => createHash("sha256").update(bytes).digest("hex");
export const bytesOf = (text, size = 100) => new TextEncoder().encode(text.padEnd(size, ".")).buffer;

/** Until it is true, or ten seconds are over: the machine may be busy. */
export async function until(isTrue) {
  const end = Date.now() + 10_000;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error(`it never came to be: ${isTrue}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Tabs as the library has them: what one tells, the others hear soon after. */
export class Bus {
  #listeners = [];

  tab() {
    const mine = {};
    return {
      isConnected: () => true,
      subscribe: () => () => {},
      tell: (topic, data) => {
        const others = this.#listeners.filter((each) => each.mine !== mine && each.topic === topic);
        for (const { fn } of others) setImmediate(() => fn(structuredClone(data)));
      },
      listen: (topic, fn) => {
        const listener = { mine, topic, fn };
        this.#listeners.push(listener);
        return () => {
          this.#listeners = this.#listeners.filter((each) => each !== listener);
        };
      },
    };
  }
}

/** A server of pictures. `held`: requests wait until `let()`; `answers`: what is answered for a hash instead. */
export class Server {
  requests = [];
  held = null;
  answers = {};
  isAway = false;

  hold() {
    this.held = Promise.withResolvers?.() ?? deferred();
  }

  let() {
    this.held?.resolve();
    this.held = null;
  }

  fetch = async (address, { signal }) => {
    const url = new URL(address, "http://pos.example");
    if (this.isAway) throw new TypeError("Failed to fetch");
    if (url.pathname === "/livez") return new Response("ok\n");
    const hash = url.pathname.slice("/api/image/".length, -".jpg".length);
    this.requests.push(`${hash.slice(0, 4)} ${url.searchParams.get("w")}`);
    const ended = new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    if (this.held) await Promise.race([this.held.promise, ended]);
    const answer = this.answers[hash] ?? narrower(hash, url.searchParams.get("w"));
    return typeof answer === "function" ? answer() : answer.clone();
  };
}

export const narrower = (hash, width, text = `webp of ${hash}`) =>
  new Response(bytesOf(text), { headers: { "content-type": "image/webp", etag: `"${hash}-${width}-webp"` } });

export const original = (bytes, hash = hashOf(Buffer.from(bytes))) =>
  new Response(bytes, { headers: { "content-type": "image/jpeg", etag: `"${hash}"` } });

export const problem = (status, code) =>
  new Response(JSON.stringify({ status, code }), { status, headers: { "content-type": "application/problem+json" } });

export function deferred() {
  const all = {};
  all.promise = new Promise((resolve, reject) => Object.assign(all, { resolve, reject }));
  return all;
}

/** The pictures of one tab; several tabs share bus, database and server. */
export async function tabOf({
  bus = new Bus(),
  server = new Server(),
  database = pictures(),
  now = { at: 1_000_000 },
} = {}) {
  const reported = [];
  const surroundings = {
    http: new Http({ fetch: server.fetch, csrf: () => "" }),
    pictures: database,
    tabs: bus.tab(),
    clock: { now: () => now.at },
    report: (error) => reported.push(error),
  };
  // As a browser's decoder: what isn't made by `narrower` is no picture.
  const widthOf = async ({ bytes, width }) => {
    if (!new TextDecoder().decode(bytes).startsWith("webp of")) throw new ServerUnavailable("no picture");
    return width;
  };
  const images = new Images(surroundings, { widthOf });
  await images.load();
  return { images, server, database, bus, now, reported };
}

export const pictures = () => new MemoryDatabase("test-pictures", SHAPES.pictures);
