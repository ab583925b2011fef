// What the tests of the library have instead of a browser and a server: answers by address, streams that they write to,
// and tabs that hear each other.

import { SHAPES } from "../src/database.js";
import { MemoryDatabase } from "../src/memory.js";
import { Terminal } from "../src/terminal.js";

export const E1 = "0a5e1f6e-0000-4000-8000-000000000001";
export const E2 = "0a5e1f6e-0000-4000-8000-000000000002";

// A back-off may wait for half a minute.
export const until = async (true_, what = "it") => {
  const began = Date.now();
  while (!(await true_())) {
    if (Date.now() - began > 45_000) throw new Error(`${what} didn't come about`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** An answer of our server, or of something that isn't. */
export const json = (body, { status = 200, headers = {} } = {}) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": status < 400 ? "application/json" : "application/problem+json", ...headers },
  });
export const html = (status = 200) =>
  new Response("<title>Welcome to our Wi-Fi</title>", { status, headers: { "content-type": "text/html" } });
export const problem = (status, code, more = {}, headers = {}) => json({ status, code, ...more }, { status, headers });

/** A server of one epoch that answers `status`, snapshots, changes and streams; `answer` may be replaced by a test. */
export class FakeServer {
  epoch = E1;
  versions = { tag: 1 };
  objects = { tag: [{ id: "a", name: "hot" }] };
  asked = [];
  streams = [];
  answer = () => null;

  fetch = async (address, { headers = {}, signal, method = "GET" } = {}) => {
    const url = new URL(address, "http://server.test");
    this.asked.push(`${method} ${url.pathname}${url.search}`);
    const own = await this.answer(url, { headers, method, signal });
    signal?.throwIfAborted();
    return own ?? this.#usual(url, headers, signal);
  };

  #usual(url, headers, signal) {
    const { epoch, versions } = this;
    const [, resource, more] = url.pathname.match(/^\/api\/sync\/([a-z_]+)(\/changes)?$/) ?? [];
    if (resource === "events") return this.#stream(headers["Last-Event-ID"] ?? null, signal);
    if (resource === "status") return json({ epoch, versions });
    if (more) return problem(410, "resync_required", { epoch, version: versions[resource] ?? 0 });
    if (resource)
      return json({ epoch, resource, version: versions[resource] ?? 0, items: this.objects[resource] ?? [] });
    if (url.pathname === "/livez") return new Response("ok", { headers: { "content-type": "text/plain" } });
    if (url.pathname === "/api/shop") return json({ name: "Casa", time_zone: "Europe/Madrid", currency: "EUR" });
    return problem(403, "permission_denied");
  }

  #stream(cursor, signal) {
    let writer;
    const body = new ReadableStream({
      start: (controller) => {
        writer = controller;
      },
    });
    const over = (how) => {
      if (stream.isOpen) how();
      stream.isOpen = false;
    };
    const stream = {
      cursor,
      isOpen: true,
      frame: (event, id, data) => stream.raw(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
      raw: (text) => stream.isOpen && writer.enqueue(new TextEncoder().encode(text)),
      end: () => over(() => writer.close()),
      break: () => over(() => writer.error(new TypeError("network error"))),
    };
    signal?.addEventListener("abort", () => over(() => writer.error(signal.reason)));
    this.streams.push(stream);
    return new Response(body, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
  }

  /** The open stream, when there is one. */
  get stream() {
    return this.streams.findLast(({ isOpen }) => isOpen);
  }

  get snapshots() {
    return this.asked.filter((asked) => /^GET \/api\/sync\/(?!events|status)[a-z_]+$/.test(asked));
  }

  async greet(cursor = "one") {
    const seen = this.greeted ?? 0;
    await until(() => this.streams.length > seen && this.stream, "a stream");
    this.greeted = this.streams.length;
    this.stream.raw("retry: 5\n");
    this.stream.frame("hello", cursor, { epoch: this.epoch, versions: this.versions });
  }

  /** Tells of a change, and is there for those that ask. */
  change(row, { resource = "tag", action = "updated", cut = true } = {}) {
    const version = ++this.versions[resource];
    const others = (this.objects[resource] ?? []).filter(({ id }) => id !== row.id);
    this.objects[resource] = action === "deleted" ? others : [...others, row];
    const data = action === "deleted" ? null : row;
    this.stream?.frame("sync", `v${version}`, { resource, action, id: row.id, version, data, cut });
    return version;
  }
}

export const QUICK = { silence: 4000, doubt: 3000, patience: 3000, poll: 20, streamAgain: 150, probe: 10, step: 1 };

export const databases = (kept = {}) =>
  Object.fromEntries(
    Object.entries(SHAPES).map(([name, shape]) => [name, kept[name] ?? new MemoryDatabase(`test-${name}`, shape)]),
  );

const opened = [];

export async function open(server, { resources = ["tag"], times = {}, ...world } = {}) {
  const terminal = await Terminal.open({
    resources,
    base: "http://server.test",
    world: { fetch: server.fetch, databases: databases(), channel: null, times: { ...QUICK, ...times }, ...world },
  });
  opened.push(terminal);
  return terminal;
}

/** For `afterEach`. */
export const closeAll = () => Promise.all(opened.splice(0).map((terminal) => terminal.close()));

export const isLive = (terminal) => until(() => terminal.connection.getSnapshot().state === "live", "live");
export const inState = (terminal, state) => until(() => terminal.connection.getSnapshot().state === state, state);
export const names = (terminal, resource = "tag") => terminal.resources[resource].getSnapshot().map(({ name }) => name);

/** Channels of tabs in one browser. One that is `deaf` neither hears nor is heard, as a frozen page. */
export class Air {
  #channels = new Set();

  channel() {
    const channel = {
      onmessage: null,
      isDeaf: false,
      postMessage: (message) => {
        if (channel.isDeaf) return;
        const sent = structuredClone(message);
        for (const other of this.#channels)
          if (other !== channel) queueMicrotask(() => !other.isDeaf && other.onmessage?.({ data: sent }));
      },
      close: () => this.#channels.delete(channel),
    };
    this.#channels.add(channel);
    return channel;
  }
}
