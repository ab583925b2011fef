import assert from "node:assert/strict";
import { test } from "node:test";
import { SHAPES } from "../../src/database.js";
import { NotAllowed, StorageFull } from "../../src/errors.js";
import { MemoryDatabase } from "../../src/memory.js";
import { newId } from "../../src/outbox/outbox.js";
import { hashOf, problem, until } from "../images/world.js";
import { PhotoServer, photo, tabOf } from "./world.js";

const P = "11111111-0000-4000-8000-000000000001";
const Q = "11111111-0000-4000-8000-000000000002";
const isEmpty = ({ outbox }) => outbox.getSnapshot().length === 0;
const stored = ({ kept }) => kept.own.read("outbox_bytes", (tx) => tx.getAllKeys("outbox_bytes"));
const html = (status = 200) => new Response("<html>", { status, headers: { "content-type": "text/html" } });
const drop = () => {
  throw new TypeError("Failed to fetch");
};

test("a photo is sent by the steps of an upload, and its product shows it", async () => {
  const tab = await tabOf();
  const hash = await tab.outbox.add(photo("one", "soup.jpg"), { product: P });
  assert.equal(hash, hashOf("one"));
  await until(() => isEmpty(tab));
  assert.equal(tab.server.shows(P), hash);
  assert.deepEqual(
    [...tab.server.photos.values()].map(({ filename, size, content_type }) => [filename, size, content_type]),
    [["soup.jpg", 3, "image/jpeg"]],
  );
  assert.deepEqual(tab.server.log, [
    "POST /api/albums",
    "POST /api/albums/ID/photos",
    "PUT /api/uploads/ID",
    "POST /api/photos/ID/process",
    "GET /api/photos/ID",
  ]);
  assert.deepEqual(await stored(tab), []);
  await tab.end();
});

test("it is shown at once under its final hash, offline and after it was sent, and never downloaded", async () => {
  const tab = await tabOf();
  tab.server.isAway = true;
  const hash = await tab.outbox.add(photo("one"), { product: P });
  const text = async () => await (await fetch(await tab.images.getImageUrl(hash))).text();
  assert.equal(await text(), "one");
  const [waiting] = tab.outbox.getSnapshot();
  assert.deepEqual([waiting.hash, waiting.product, waiting.size], [hash, P, 3]);
  tab.server.isAway = false;
  tab.outbox.hurry();
  await until(() => isEmpty(tab));
  const later = await tabOf({ server: tab.server, kept: tab.kept });
  assert.equal(await (await fetch(await later.images.getImageUrl(hash))).text(), "one");
  assert.ok(!tab.server.log.some((what) => what.includes("/api/image/")));
  await tab.end();
  await later.end();
});

test("one for no product is sent as a picture, unless the server has it", async () => {
  const tab = await tabOf();
  tab.server.images.add(hashOf("known"));
  await tab.outbox.add(photo("new"));
  await tab.outbox.add(photo("known"));
  await until(() => isEmpty(tab));
  assert.ok(tab.server.images.has(hashOf("new")));
  assert.equal(tab.server.log.filter((what) => what === "POST /api/images").length, 1);
  await tab.end();
});

test("the same photo for the same product waits once; for another one it is another", async () => {
  const tab = await tabOf();
  tab.server.isAway = true;
  for (const product of [P, P, Q, null]) await tab.outbox.add(photo("one"), { product });
  assert.equal(tab.outbox.getSnapshot().length, 3);
  assert.deepEqual(await stored(tab), [hashOf("one")]);
  await tab.end();
});

test("of two photos for one product the later one is shown", async () => {
  const tab = await tabOf();
  tab.server.isAway = true;
  for (const text of ["first", "second", "third"]) {
    await tab.outbox.add(photo(text), { product: P });
    await new Promise((resolve) => setTimeout(resolve, 2)); // a clock of milliseconds tells them apart
  }
  tab.server.isAway = false;
  tab.outbox.hurry();
  await until(() => isEmpty(tab));
  assert.equal(tab.server.shows(P), hashOf("third"));
  await tab.end();
});

test("only where the device has the scope `upload`, and by the tab that is connected", async () => {
  const reader = await tabOf({ scopes: ["read"] });
  await assert.rejects(reader.outbox.add(photo("one")), NotAllowed);
  await reader.end();

  const server = new PhotoServer();
  const hidden = await tabOf({ server, isConnected: false });
  await hidden.outbox.add(photo("one"), { product: P });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(server.log, []);
  const connected = await tabOf({ server, kept: hidden.kept });
  await hidden.outbox.add(photo("two"), { product: Q }); // the other tab hears of it and sends both
  await until(() => isEmpty(hidden));
  assert.deepEqual([server.shows(P), server.shows(Q)], [hashOf("one"), hashOf("two")]);
  await hidden.end();
  await connected.end();
});

// Each request of an upload, lost on its way and with its answer, or answered by something else.
const requests = [
  "POST /api/albums",
  "POST /api/albums/ID/photos",
  "PUT /api/uploads/ID",
  "POST /api/photos/ID/process",
  "GET /api/photos/ID",
];
const mishaps = {
  "never arrives": ["ask", drop],
  "is answered by a page": ["ask", html],
  "is refused by a page": ["ask", () => html(404)],
  "meets a server without capacity": ["ask", () => problem(503, "over_capacity")],
  "loses its answer": ["answered", drop],
  "has its answer replaced by a page": ["answered", html],
};
for (const request of requests)
  for (const [mishap, [when, what]] of Object.entries(mishaps))
    test(`${request} ${mishap}: the photo arrives all the same, once`, async () => {
      const tab = await tabOf();
      let left = 1;
      tab.server[when] = (asked) => (asked === request && left-- > 0 ? what() : undefined);
      await tab.outbox.add(photo("one"), { product: P });
      const nudge = setInterval(tab.outbox.hurry, 20);
      await until(() => isEmpty(tab)).finally(() => clearInterval(nudge));
      assert.ok(left < 1);
      assert.equal(tab.server.shows(P), hashOf("one"));
      assert.equal(tab.server.photos.size, 1);
      await tab.end();
    });

test("killed at any commit it goes on from there, and sends each photo once", async () => {
  const probe = await tabOf();
  const dumps = [];
  const { own } = probe.kept;
  const write = own.write.bind(own);
  own.write = async (...of) => {
    const result = await write(...of);
    dumps.push([
      structuredClone(own.dump()),
      structuredClone([...probe.server.photos]),
      [...probe.server.albums.keys()],
    ]);
    return result;
  };
  await probe.outbox.add(photo("one"), { product: P });
  await until(() => isEmpty(probe));
  await probe.end();
  assert.ok(dumps.length >= 4);
  for (const [dump, photos, albums] of dumps) {
    const server = new PhotoServer();
    server.photos = new Map(photos);
    server.albums = new Map(albums.map((album) => [album, []]));
    if (photos.some(([, { status }]) => status === "ready")) server.originals = new Map(photos.map(([id]) => [id, ""]));
    const database = new MemoryDatabase("test-own", SHAPES.own);
    database.restore(dump);
    const tab = await tabOf({ server, kept: { own: database } });
    tab.outbox.hurry();
    await until(() => isEmpty(tab));
    assert.equal(server.shows(P), hashOf("one"));
    assert.equal(server.photos.size, 1);
    assert.deepEqual(await stored(tab), []);
    await tab.end();
  }
});

test("an id that is taken is changed, an album that is full or gone is another one", async () => {
  const tab = await tabOf();
  let [conflicts, full] = [1, 1];
  tab.server.ask = (asked) => {
    if (asked !== "POST /api/albums/ID/photos") return undefined;
    if (full-- > 0) return problem(409, "album_full");
    return conflicts-- > 0 ? problem(409, "conflict") : undefined;
  };
  await tab.outbox.add(photo("one"), { product: P });
  const [{ id }] = tab.outbox.getSnapshot();
  const nudge = setInterval(tab.outbox.hurry, 20);
  await until(() => isEmpty(tab)).finally(() => clearInterval(nudge));
  assert.equal(tab.server.shows(P), hashOf("one"));
  assert.ok(!tab.server.photos.has(id));
  assert.ok(tab.server.albums.size >= 2);
  await tab.end();
});

test("an upload address that expired is asked for anew, in our server's words and in a bucket's", async () => {
  const xml = () => new Response("<Error/>", { status: 403, headers: { "content-type": "application/xml" } });
  for (const refusal of [() => problem(403, "upload_expired"), xml]) {
    const tab = await tabOf();
    let left = 1;
    tab.server.ask = (asked) => (asked.startsWith("PUT") && left-- > 0 ? refusal() : undefined);
    await tab.outbox.add(photo("one"), { product: P });
    await until(() => isEmpty(tab));
    assert.equal(tab.server.log.filter((what) => what === "POST /api/albums/ID/photos").length, 2);
    await tab.end();
  }
});

test("what the server couldn't process has failed, is forgotten there, and is tried again when asked", async () => {
  const tab = await tabOf();
  tab.server.processing = "failed";
  let lost = 2; // the third of three tries gets through
  tab.server.ask = (asked) => (asked.startsWith("DELETE") && lost-- > 0 ? drop() : undefined);
  const hash = await tab.outbox.add(photo("one"), { product: P });
  await until(() => tab.server.log.filter((what) => what.startsWith("DELETE")).length === 3);
  await until(() => tab.server.photos.size === 0);
  const [failed] = tab.outbox.getSnapshot();
  assert.equal(failed.state, "failed");
  assert.match(failed.error, /couldn't process/);
  assert.deepEqual(await stored(tab), [hash]); // it isn't lost
  tab.server.processing = "ready";
  assert.equal(await tab.outbox.retryFailed(), 1);
  await until(() => isEmpty(tab));
  assert.equal(tab.server.shows(P), hash);
  await tab.end();
});

test("a photo that was taken back is forgotten by the server too, as soon as it is reached", async () => {
  const tab = await tabOf();
  tab.server.processing = "processing";
  await tab.outbox.add(photo("one"), { product: P });
  await until(() => tab.outbox.getSnapshot()[0]?.state === "processing");
  tab.server.isAway = true;
  await tab.outbox.remove(tab.outbox.getSnapshot()[0].id);
  assert.ok(isEmpty(tab));
  assert.deepEqual(await stored(tab), []);
  tab.server.isAway = false;
  const nudge = setInterval(tab.outbox.hurry, 20);
  await until(() => tab.server.photos.size === 0).finally(() => clearInterval(nudge));
  await tab.end();
});

test("a revoked device keeps what waits, and sends it when it is enrolled again", async () => {
  const tab = await tabOf();
  let isRevoked = true;
  tab.server.ask = () => (isRevoked ? problem(401, "invalid_token") : undefined);
  const hash = await tab.outbox.add(photo("one"), { product: P });
  await until(() => tab.reported.length > 0);
  tab.device.set(null);
  assert.deepEqual(await stored(tab), [hash]);
  isRevoked = false;
  tab.device.set({ id: "e", name: "Till", scopes: ["read", "upload"], last_seen: null });
  await until(() => isEmpty(tab));
  await tab.end();
});

test("without the CSRF cookie it asks who it is, which brings one", async () => {
  const tab = await tabOf();
  let left = 1;
  tab.server.ask = (asked) => {
    if (asked === "GET /api/devices/me") return new Response("{}", { headers: { "content-type": "application/json" } });
    return left-- > 0 ? problem(403, "csrf_failed") : undefined;
  };
  await tab.outbox.add(photo("one"), { product: P });
  await until(() => tab.server.log.includes("GET /api/devices/me"));
  tab.outbox.hurry();
  await until(() => isEmpty(tab));
  await tab.end();
});

test("a full disk makes room by pictures; without any the photo is refused, and nothing else is lost", async () => {
  const tab = await tabOf();
  tab.server.isAway = true;
  await tab.images.adopt(hashOf("x"), new ArrayBuffer(5000));
  const { own } = tab.kept;
  const write = own.write.bind(own);
  own.write = async (stores, work) => {
    if (stores.includes("outbox_bytes") && (await tab.images.usage()).count) throw new StorageFull();
    return await write(stores, work);
  };
  await tab.outbox.add(photo("one"), { product: P });
  own.write = async () => {
    throw new StorageFull();
  };
  await assert.rejects(tab.outbox.add(photo("two"), { product: P }), StorageFull);
  assert.equal(tab.outbox.getSnapshot().length, 1);
  own.write = write;
  await tab.end();
});

test("bytes that were damaged on the way are neither shown nor sent", async () => {
  const tab = await tabOf();
  tab.server.isAway = true;
  const hash = await tab.outbox.add(photo("one"), { product: P });
  await tab.kept.own.write("outbox_bytes", (tx) => tx.put("outbox_bytes", new ArrayBuffer(3), hash));
  tab.server.isAway = false;
  const nudge = setInterval(tab.outbox.hurry, 20);
  await until(() => tab.outbox.getSnapshot()[0].state === "failed").finally(() => clearInterval(nudge));
  assert.equal(tab.server.shows(P), undefined);
  await tab.end();
});

test("ids are UUIDs without crypto.randomUUID", () => {
  assert.match(newId(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(newId(), newId());
});
