import assert from "node:assert/strict";
import { test } from "node:test";
import { ImageMissing, InvalidHash, ServerUnavailable } from "../../src/errors.js";
import { isHash, sha256 } from "../../src/images/sha256.js";
import { bytesOf, hashOf, narrower, original, problem, tabOf, until } from "./world.js";

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
  const calm = async () => {
    for (let n = 0; n < 20; n += 1) await turn();
  };
  await calm();
  assert.equal(images.getSnapshot(A).status, "failed");
  server.isAway = false;
  t.mock.timers.tick(999);
  await calm();
  assert.equal(images.getSnapshot(A).status, "failed");
  t.mock.timers.tick(1);
  await calm();
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
