import assert from "node:assert/strict";
import { test } from "node:test";
import { ImageMissing, InvalidHash, ServerUnavailable, StorageFull } from "../../src/errors.js";
import { isHash, sha256 } from "../../src/images/sha256.js";
import { bytesOf, hashOf, narrower, original, pictures, problem, tabOf, until } from "./world.js";

const [A, B, C, D, E, F] = ["a", "b", "c", "d", "e", "f"].map((letter) => hashOf(letter));
const nothing = () => {};
const textOf = async (url) => (await (await fetch(url)).text()).replace(/\.+$/, "");
const short = (...hashes) => hashes.map((hash) => `${hash.slice(0, 4)} 320`);

test("the digest is the same with and without the browser's help", async (t) => {
  const bytes = bytesOf("x", 1000);
  const expected = hashOf(Buffer.from(bytes));
  assert.equal(await sha256(bytes), expected);
  t.mock.getter(globalThis, "crypto", () => undefined);
  assert.equal(await sha256(bytes), expected);
});

test("what is no hash is asked of nobody", async () => {
  const { images, server } = await tabOf();
  for (const hash of ["", "x", A.toUpperCase(), `${A}0`, null, undefined, 7]) {
    assert.equal(isHash(hash), false);
    images.subscribe(hash, nothing)();
    assert.deepEqual(images.getSnapshot(hash), { url: null, status: "missing" });
    await assert.rejects(images.getImageUrl(hash), InvalidHash);
  }
  assert.deepEqual(await images.prefetchImages(["x", "x"]), { success_count: 0, failed_count: 1, already_cached: 0 });
  assert.deepEqual(server.requests, []);
  await images.close();
});

test("who subscribes shows it; a snapshot is the same until something changed", async () => {
  const { images } = await tabOf();
  const seen = [];
  assert.deepEqual(images.getSnapshot(A), { url: null, status: "unknown" });
  images.subscribe(A, () => seen.push(images.getSnapshot(A).status));
  await until(() => images.getSnapshot(A).status === "ready");
  assert.equal(images.getSnapshot(A), images.getSnapshot(A));
  assert.equal(await textOf(images.getSnapshot(A).url), `webp of ${A}`);
  assert.deepEqual(seen.slice(-2), ["loading", "ready"]);
  await images.close();
});

test("a subscriber that throws stops nobody else", async (t) => {
  t.mock.method(console, "error", nothing);
  const { images } = await tabOf();
  let told = 0;
  images.subscribe(A, () => {
    throw new Error("mine");
  });
  images.subscribe(A, () => {
    told += 1;
  });
  await until(() => images.getSnapshot(A).status === "ready");
  assert.ok(told);
  await images.close();
});

test("no picture is downloaded twice: by many who ask, after a reload, or in two tabs", async () => {
  const first = await tabOf();
  const second = await tabOf(first);
  const urls = await Promise.all([first, first, second, second].map(({ images }) => images.getImageUrl(A)));
  assert.deepEqual(await Promise.all(urls.map(textOf)), Array(4).fill(`webp of ${A}`));
  await Promise.all([first.images.prefetchImages([A, B, C]), second.images.prefetchImages([C, B, A])]);
  const reloaded = await tabOf(first);
  await reloaded.images.getImageUrl(B);
  assert.deepEqual(first.server.requests.toSorted(), short(A, B, C).toSorted());
  assert.deepEqual((await reloaded.images.usage()).count, 3);
  assert.deepEqual((await second.images.usage()).count, 3);
  for (const { images } of [first, second, reloaded]) await images.close();
});

test("what another tab gave up is downloaded by this one", async () => {
  const first = await tabOf();
  const second = await tabOf(first);
  first.server.hold();
  const lost = first.images.getImageUrl(A);
  await until(() => first.server.requests.length === 1);
  const found = second.images.getImageUrl(A);
  await first.images.close(); // its request ends with it
  first.server.let();
  await assert.rejects(lost);
  assert.equal(await textOf(await found), `webp of ${A}`);
  await second.images.close();
});

test("what a tab that was killed had begun is downloaded at once", async () => {
  const killed = await tabOf();
  killed.server.hold();
  killed.images.subscribe(A, nothing);
  await until(() => killed.server.requests.length === 1);
  const next = await tabOf({ database: killed.database }); // on a bus of its own: nobody answers there
  const begun = Date.now();
  assert.equal(await textOf(await next.images.getImageUrl(A)), `webp of ${A}`);
  assert.ok(Date.now() - begun < 5_000);
  await next.images.close();
  await killed.images.close();
});

test("what another tab still downloads is waited for", async () => {
  const first = await tabOf();
  const second = await tabOf(first);
  first.server.hold();
  const urls = [first.images.getImageUrl(A)];
  await until(() => first.server.requests.length === 1);
  urls.push(second.images.getImageUrl(A));
  await new Promise((resolve) => setTimeout(resolve, 1_000)); // longer than a tab that is gone would be waited for
  first.server.let();
  await Promise.all(urls);
  assert.equal(first.server.requests.length, 1);
  await first.images.close();
  await second.images.close();
});

test("four at a time, what is seen first, and what scrolled away isn't fetched", async () => {
  const { images, server } = await tabOf();
  server.hold();
  const prefetched = images.prefetchImages([A, B, C, D, E]);
  await until(() => server.requests.length === 4);
  const leave = images.subscribe(E, nothing);
  images.subscribe(F, nothing);
  const url = images.getImageUrl(hashOf("gone")).catch((error) => error);
  assert.equal(images.getSnapshot(F).status, "loading");
  await until(() => images.getSnapshot(F).status === "waiting");
  leave();
  assert.equal(server.requests.length, 4);
  server.let();
  await prefetched;
  await url;
  await until(() => images.getSnapshot(F).status === "ready");
  assert.equal(server.requests[4], short(F)[0]);
  await images.close();

  const away = await tabOf();
  away.server.hold();
  const others = [A, B, C, D].map((hash) => away.images.subscribe(hash, nothing));
  await until(() => away.server.requests.length === 4);
  away.images.subscribe(E, nothing)();
  away.server.let();
  await until(() => away.images.getSnapshot(D).status === "ready");
  for (const end of others) end();
  assert.deepEqual(away.server.requests.toSorted(), short(A, B, C, D).toSorted());
  await until(() => away.images.getSnapshot(E).status === "unknown");
  await away.images.close();
});

test("an original is checked against its name, and is never wanted wider", async () => {
  const bytes = bytesOf("a narrow original");
  const hash = hashOf(Buffer.from(bytes));
  const { images, server } = await tabOf();
  server.answers[hash] = original(bytes);
  const url = await images.getImageUrl(hash);
  assert.equal(await textOf(url), "a narrow original");
  images.setTileWidth(1000);
  images.subscribe(hash, nothing);
  assert.equal(await images.getImageUrl(hash), url);
  assert.equal(server.requests.length, 1);
  await images.close();
});

for (const [what, answer] of Object.entries({
  "an original of another digest": () => original(bytesOf("other"), A),
  "the copy of another picture": () => narrower(B, 320),
  "a copy of another width": () => narrower(A, 640),
  "a copy that doesn't decode": () => narrower(A, 320, "<html>"),
  "a page of a captive portal": () => new Response("<html>", { headers: { "content-type": "text/html" } }),
  "a 404 that isn't our server's": () => new Response("", { status: 404 }),
  "a copy as something else": () =>
    new Response(bytesOf("webp of"), { headers: { "content-type": "text/html", etag: `"${A}-320-webp"` } }),
  "nothing at all": () => new Response("", { headers: { "content-type": "image/webp", etag: `"${A}-320-webp"` } }),
}))
  test(`${what} is neither shown nor kept`, async () => {
    const { images, server } = await tabOf();
    server.answers[A] = answer;
    await assert.rejects(images.getImageUrl(A), ServerUnavailable);
    assert.equal((await images.usage()).count, 0);
    delete server.answers[A];
    assert.equal(await textOf(await images.getImageUrl(A)), `webp of ${A}`);
    await images.close();
  });

test("a bucket's answer is told by its address", async () => {
  const { images, server } = await tabOf();
  server.answers[A] = () => {
    const answer = new Response(bytesOf("webp of"), { headers: { "content-type": "image/webp", etag: '"md5"' } });
    Object.defineProperty(answer, "url", {
      value: `https://bucket.example/images/derived/${A}_320.webp?X-Amz-Signature=x`,
    });
    return answer;
  };
  assert.equal(await textOf(await images.getImageUrl(A)), "webp of");
  await images.close();
});

test("a weak tag of a proxy that compresses is the same picture", async () => {
  const { images, server } = await tabOf();
  server.answers[A] = new Response(bytesOf("webp of"), {
    headers: { "content-type": "image/webp", etag: `W/"${A}-320-webp"` },
  });
  await images.getImageUrl(A);
  await images.close();
});

test("a picture that can't be had now comes when it can", async () => {
  const { images, server } = await tabOf();
  server.answers[A] = problem(404, "not_found");
  images.subscribe(A, nothing);
  await until(() => images.getSnapshot(A).status === "missing");
  await assert.rejects(images.getImageUrl(A), ImageMissing);
  server.isAway = true;
  images.subscribe(B, nothing);
  await until(() => images.getSnapshot(B).status === "failed");
  server.isAway = false;
  server.answers = {};
  images.hurry();
  await until(() => images.getSnapshot(A).status === "ready" && images.getSnapshot(B).status === "ready");
  await images.close();
});

test("and by itself, with growing pauses", async (t) => {
  t.mock.method(Math, "random", () => 0);
  const { images, server } = await tabOf();
  server.isAway = true;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  images.subscribe(A, nothing);
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const settle = async () => {
    for (let n = 0; n < 20; n += 1) await turn();
  };
  await settle();
  assert.equal(images.getSnapshot(A).status, "failed");
  server.isAway = false;
  t.mock.timers.tick(999);
  await settle();
  assert.equal(images.getSnapshot(A).status, "failed");
  t.mock.timers.tick(1);
  await settle();
  assert.equal(images.getSnapshot(A).status, "ready");
  await images.close();
});

for (const [what, damage] of Object.entries({
  "other bytes": (tx) => tx.put("bytes", bytesOf("webp of damaged"), A),
  "no bytes": (tx) => tx.delete("bytes", A),
  "no record": (tx) => tx.delete("records", A),
  "a record of another build": (tx) => tx.put("records", { key: A, blob: true }),
  "something else for bytes": (tx) => tx.put("bytes", "text", A),
}))
  test(`what is stored with ${what} is dropped and fetched again`, async () => {
    const first = await tabOf();
    await first.images.getImageUrl(A);
    await first.images.close();
    await first.database.write(["records", "bytes"], damage);
    const second = await tabOf(first);
    assert.equal(await textOf(await second.images.getImageUrl(A)), `webp of ${A}`);
    assert.equal(first.server.requests.length, 2);
    await second.images.close();
    const third = await tabOf(first);
    await third.images.getImageUrl(A);
    assert.equal(first.server.requests.length, 2);
    await third.images.close();
  });

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
