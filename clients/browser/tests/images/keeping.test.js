import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidHash, StorageFull } from "../../src/errors.js";
import { bytesOf, hashOf, pictures, problem, tabOf, until } from "./world.js";

const [A, B, C, D, E, F] = ["a", "b", "c", "d", "e", "f"].map((letter) => hashOf(letter));
const nothing = () => {};
const textOf = async (url) => (await (await fetch(url)).text()).replace(/\.+$/, "");

test("the least recently used make room, and never what is on the screen", async () => {
  const world = await tabOf();
  const { images, now } = world;
  const stored = async () => (await world.database.read("records", (tx) => tx.getAllKeys("records"))).toSorted();
  await images.setBudget(350); // three and a half
  const end = images.subscribe(A, nothing); // the oldest, but it is shown
  await until(() => images.getSnapshot(A).status === "ready");
  for (const hash of [B, C]) {
    now.at += 60_000;
    await images.getImageUrl(hash);
  }
  now.at += 60_000;
  const reloaded = await tabOf(world);
  await reloaded.images.getImageUrl(B); // used again, in another tab
  await reloaded.images.close();
  await images.bytes.load();
  now.at += 60_000;
  await images.getImageUrl(D);
  await until(() => images.getSnapshot(D).status === "ready");
  await images.downloads.close();
  assert.deepEqual(await stored(), [A, B, D].toSorted());
  await images.setBudget(150);
  assert.deepEqual(await stored(), [A]);
  end();
  await images.close();
});

test("a full disk evicts pictures and tries again; without room the picture is shown all the same", async () => {
  const database = pictures();
  const world = await tabOf({ database });
  await world.images.getImageUrl(A);
  await until(() => world.images.bytes.get(A));
  const write = database.write.bind(database);
  let fails = 2; // the first write fails, and so does the second
  database.write = async (stores, work) => {
    if (stores.includes("bytes") && stores.includes("claims") && fails-- > 0) throw new StorageFull();
    return await write(stores, work);
  };
  assert.equal(await textOf(await world.images.getImageUrl(B)), `webp of ${B}`);
  await until(() => world.reported.length === 1);
  assert.ok(world.reported[0] instanceof StorageFull);
  assert.equal((await world.images.usage()).count, 0); // A made room in vain
  const asked = world.server.requests.length;
  assert.equal((await world.images.prefetchImages([E])).failed_count, 1); // what was given isn't taken back
  assert.equal(world.server.requests.length, asked);
  await world.images.setBudget(10_000);
  await world.images.getImageUrl(D);
  await until(() => world.images.bytes.get(D));
  fails = 1;
  await world.images.getImageUrl(C);
  await until(() => world.images.bytes.get(C));
  assert.equal(world.images.bytes.get(D), undefined);
  await world.images.close();
});

test("where the storage can't be used at all a picture is shown all the same", async () => {
  const database = pictures();
  const world = await tabOf({ database });
  database.read = database.write = async () => {
    throw new StorageFull("gone");
  };
  assert.equal(await textOf(await world.images.getImageUrl(A)), `webp of ${A}`);
  assert.ok(world.reported.length > 0);
  await world.images.close();
});

test("prefetching counts, tells how far it is, and goes on where it ended", async () => {
  const world = await tabOf();
  world.server.answers[D] = problem(404, "not_found");
  const told = [];
  const ending = new AbortController();
  const onProgress = (done, of) => {
    told.push(`${done}/${of}`);
    if (done === 2) ending.abort();
  };
  await assert.rejects(world.images.prefetchImages([A, B, C, D, E, F, F], { onProgress, signal: ending.signal }), {
    name: "AbortError",
  });
  assert.equal(told[0], "0/6");
  await world.images.close();
  const again = await tabOf(world);
  const had = (await again.images.usage()).count;
  const result = await again.images.prefetchImages([A, B, C, D, E, F]);
  assert.deepEqual(result, { success_count: 5 - had, failed_count: 1, already_cached: had });
  const fetched = world.server.requests.filter((request) => !request.startsWith(D.slice(0, 4)));
  assert.equal(fetched.length, new Set(fetched).size); // none of them twice
  await again.images.close();
});

test("without the server the rest isn't waited for", async () => {
  const { images, server } = await tabOf();
  server.isAway = true;
  const hashes = Array.from({ length: 50 }, (_, n) => hashOf(String(n)));
  assert.deepEqual(await images.prefetchImages(hashes), { success_count: 0, failed_count: 50, already_cached: 0 });
  await images.close();
});

test("what is prefetched doesn't push out itself: where there is no room it ends", async () => {
  const { images, server } = await tabOf();
  await images.setBudget(250);
  const result = await images.prefetchImages([A, B, C, D, E, F]);
  assert.deepEqual([result.success_count, result.failed_count], [2, 4]);
  assert.ok(server.requests.length <= 5);
  await images.close();
});

test("cleaning up removes what isn't wanted, but nothing for a list that can't be right", async () => {
  const { images, database } = await tabOf();
  await images.prefetchImages([A, B, C]);
  await assert.rejects(images.cleanupUnused([A, "x"]), InvalidHash);
  await database.write("bytes", (tx) => tx.put("bytes", bytesOf("left by a crash"), D));
  assert.deepEqual(await images.cleanupUnused([A]), { removed_count: 3, freed_bytes: 200 });
  assert.deepEqual(await images.usage(), { count: 1, bytes: 100, budget: 64_000_000 });
  await images.close();
});

test("a wider tile gets a wider copy, and shows the other one meanwhile", async () => {
  const { images, server } = await tabOf();
  const end = images.subscribe(A, nothing);
  await until(() => images.getSnapshot(A).status === "ready");
  const { url } = images.getSnapshot(A);
  server.hold();
  images.setTileWidth(600);
  await until(() => server.requests.length === 2);
  assert.deepEqual(images.getSnapshot(A), { url, status: "ready" });
  server.let();
  await until(() => images.getSnapshot(A).url !== url);
  assert.deepEqual(server.requests, [`${A.slice(0, 4)} 320`, `${A.slice(0, 4)} 640`]);
  images.setTileWidth(300); // the wider one is good enough
  end();
  await images.getImageUrl(A);
  assert.equal(server.requests.length, 2);
  await images.close();
});

test("a photo that waits to be sent is shown under its final hash", async () => {
  const { images, server } = await tabOf();
  const bytes = bytesOf("mine");
  const hash = hashOf(Buffer.from(bytes));
  const waiting = new Map();
  images.waitingPhotos = async (asked) => waiting.get(asked) ?? null;
  server.isAway = true;
  images.subscribe(hash, nothing);
  await until(() => images.getSnapshot(hash).status === "failed");
  waiting.set(hash, { bytes, type: "image/jpeg", width: 9999 });
  images.added(hash);
  await until(() => images.getSnapshot(hash).status === "ready");
  await images.adopt(hash, bytes);
  waiting.clear();
  const { database, bus } = await tabOf();
  assert.ok(database && bus);
  assert.equal(await textOf(await images.getImageUrl(hash)), "mine");
  await images.close();
});

test("object URLs are counted and revoked", async (t) => {
  const made = new Set();
  const { createObjectURL, revokeObjectURL } = URL;
  t.mock.method(URL, "createObjectURL", (blob) => {
    const url = createObjectURL(blob);
    made.add(url);
    return url;
  });
  t.mock.method(URL, "revokeObjectURL", (url) => {
    made.delete(url);
    revokeObjectURL(url);
  });
  const { images } = await tabOf();
  const hashes = Array.from({ length: 150 }, (_, n) => hashOf(String(n)));
  const shown = images.subscribe(A, nothing);
  for (const hash of hashes) await images.getImageUrl(hash);
  assert.equal(made.size, 81);
  assert.ok(made.has(images.getSnapshot(A).url)); // shown all the time
  const { url } = images.getSnapshot(hashes.at(-1));
  images.subscribe(hashes.at(-1), nothing)();
  assert.equal(images.getSnapshot(hashes.at(-1)).url, url);
  assert.equal(images.getSnapshot(hashes[0]).status, "unknown");
  shown();
  await images.close();
  assert.equal(made.size, 0);
});
