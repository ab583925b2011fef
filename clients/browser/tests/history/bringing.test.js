import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { StorageFull } from "../../src/errors.js";
import { HISTORY_SHAPES } from "../../src/history/history.js";
import { originals } from "../../src/history/originals.js";
import { MemoryDatabase } from "../../src/memory.js";
import { bytesOf, hashOf } from "../images/world.js";
import { closeAll, databases, HistoryServer, inState, isComplete, open, problem, until } from "./world.js";

afterEach(closeAll);

const LETTERS = "abcdefghij";

/** A server with ten items, of which `b` and `d` are favourites. */
function tenItems() {
  const server = new HistoryServer();
  for (const id of LETTERS) server.put(id, { favorite: "bd".includes(id) });
  return server;
}
const keysOf = (history, letters = LETTERS) => [...letters].map((id) => history.items.get(id).r2_key).toSorted();
const stored = async (kept) => (await kept.originals.read("records", (tx) => tx.getAllKeys("records"))).toSorted();

test("on a new device nothing is downloaded until somebody says so; then all of it, each once", async () => {
  const server = tenItems();
  const kept = databases();
  const history = await open(server, { kept });
  await inState(history, "live");
  await isComplete(history, 0);
  assert.deepEqual([history.elsewhere, server.originals.length], [10, 0]);
  await history.bring("everything");
  await isComplete(history, 10);
  assert.deepEqual(await stored(kept), keysOf(history));
  assert.deepEqual(server.originals.toSorted(), keysOf(history));
  assert.equal(history.elsewhere, 0);
});

for (const [mode, wanted] of Object.entries({ favourites: "bd", recent: "hij" }))
  test(`of ${mode} only those come`, async () => {
    const server = tenItems();
    const kept = databases();
    const history = await open(server, { kept });
    await inState(history, "live");
    await history.bring(mode, 3);
    await isComplete(history, wanted.length);
    assert.deepEqual(await stored(kept), keysOf(history, wanted));
  });

test("interrupted by the end of the page it goes on with what isn't here", async () => {
  const server = tenItems();
  const kept = databases();
  const first = await open(server, { kept });
  await inState(first, "live");
  server.hold();
  await first.bring("everything");
  await until(() => server.originals.length === 4); // four at a time
  server.let();
  await until(() => first.originals.bytes.usage.count >= 2);
  await closeAll();
  const had = await stored(kept);
  server.originals.length = 0;
  const second = await open(server, { kept });
  await isComplete(second, 10);
  assert.deepEqual(
    server.originals.toSorted(),
    keysOf(second).filter((key) => !had.includes(key)),
  );
});

test("paused it stops, and goes on", async () => {
  const server = tenItems();
  const history = await open(server);
  await inState(history, "live");
  await history.bring("everything");
  await history.pause(true);
  await until(() => history.offline.getSnapshot().state === "paused");
  const asked = server.originals.length;
  assert.ok(asked < 10);
  await history.pause(false);
  await isComplete(history, 10);
  assert.equal(new Set(server.originals).size, server.originals.length);
});

test("what is new meanwhile comes too, and what was deleted elsewhere leaves the device", async () => {
  const server = tenItems();
  const kept = databases();
  const history = await open(server, { kept });
  await inState(history, "live");
  await history.bring("everything");
  await isComplete(history, 10);
  const gone = history.items.get("c").r2_key;
  server.remove("c");
  const { r2_key: fresh } = server.put("k");
  await history.look();
  await until(() => history.originals.bytes.get(fresh) && !history.originals.bytes.get(gone));
  assert.deepEqual(await stored(kept), keysOf(history, "abdefghijk"));
});

test("what was deleted while no page was open goes at the next start", async () => {
  const server = tenItems();
  const kept = databases();
  const first = await open(server, { kept });
  await inState(first, "live");
  await first.bring("everything");
  await isComplete(first, 10);
  await closeAll();
  server.remove("c");
  server.epoch = "0a5e1f6e-0000-4000-8000-000000000003"; // and the whole list comes
  const second = await open(server, { kept });
  await isComplete(second, 9);
  await until(() => second.originals.bytes.usage.count === 9);
});

class Small extends MemoryDatabase {
  room = 4; // originals

  async write(stores, work) {
    const isBytes = Array.isArray(stores) && stores.includes("bytes");
    const count = await this.read("bytes", (tx) => tx.count("bytes"));
    return await super.write(stores, async (tx) => {
      const put = tx.put.bind(tx);
      tx.put = (store, value, key) => {
        if (isBytes && store === "bytes" && count >= this.room) throw new StorageFull();
        put(store, value, key);
      };
      return await work(tx);
    });
  }
}

test("without room it says so, loses nothing that is kept, and goes on when there is room", async () => {
  const server = tenItems();
  const small = new Small("test-originals", HISTORY_SHAPES.originals);
  const kept = databases({ originals: small });
  const history = await open(server, { kept });
  await inState(history, "live");
  await history.bring("everything");
  await until(() => history.offline.getSnapshot().state === "full");
  const had = await stored(kept);
  assert.ok(had.length >= 4 && had.length < 8);
  small.room = 100;
  server.originals.length = 0;
  history.offline.hurry();
  await isComplete(history, 10);
  assert.ok(!server.originals.some((key) => had.includes(key)));
});

test("other bytes than the key's digits say are no original, and one that is gone leaves the others", async () => {
  const server = tenItems();
  const history = await open(server);
  await inState(history, "live");
  const [a, b] = keysOf(history, "ab");
  server.answer = ({ pathname }) => {
    if (pathname.endsWith(a)) return problem(404, "not_found");
    if (!pathname.endsWith(b)) return null;
    const other = new Response(bytesOf("another"), { headers: { "content-type": "image/jpeg" } });
    return Object.defineProperty(other, "url", { value: `http://pos.example${pathname}` });
  };
  await history.bring("everything");
  await until(() => history.offline.getSnapshot().stored === 8);
  await until(() => history.offline.getSnapshot().state === "waiting");
  server.answer = () => null;
  history.offline.hurry();
  await isComplete(history, 10);
});

test("deleted from this device nothing comes again by itself; the history stays", async () => {
  const server = tenItems();
  const kept = databases();
  const history = await open(server, { kept });
  await inState(history, "live");
  await history.bring("everything");
  await isComplete(history, 10);
  await history.removePictures();
  await isComplete(history, 0);
  assert.deepEqual(await stored(kept), []);
  const { items, originals, thumbnails } = await history.usage();
  assert.ok(items > 1000);
  assert.deepEqual([originals.count, thumbnails.count], [0, 0]);
  assert.equal(history.items.size, 10);
});

test("what has no form of a key is asked of nobody", () => {
  const digest = hashOf("a");
  assert.ok(originals.isName(`images/7/1700000000000_${digest}.webp`));
  for (const name of [
    digest,
    `images/7/1_${digest}.gif`,
    `images/../1_${digest}.jpg`,
    `images/07/1_${digest}.jpg`,
    null,
  ])
    assert.equal(originals.isName(name), false);
});
