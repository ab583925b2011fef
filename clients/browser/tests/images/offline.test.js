import assert from "node:assert/strict";
import { test } from "node:test";
import { OfflinePictures, ofProducts } from "../../src/images/offline.js";
import { Resource, Value } from "../../src/resources.js";
import { hashOf, problem, tabOf, until } from "./world.js";

const [A, B, C, D] = ["a", "b", "c", "d"].map((letter) => hashOf(letter));
const product = (id, image, more) => ({ id, data: { id, image, is_active: true, ...more } });

/** A tab of which `settings` may be set, and the state of its connection. */
async function offlineOf(world, { settings = {}, state = "live", isConnected = true, products = MENU } = {}) {
  const all = new Resource();
  all.take(products)();
  const given = {
    products: all,
    favourites: new Value(["2"]),
    settings: new Value(settings),
    connection: new Value({ state }),
    tabs: { subscribe: () => () => {}, isConnected: () => isConnected },
    images: world.images,
    report: () => {},
  };
  const offline = new OfflinePictures({ ...given, wishes: ofProducts(given) });
  offline.start();
  const end = async () => {
    offline.close();
    await world.images.close();
  };
  return { ...given, offline, end, is: (state) => until(() => offline.getSnapshot().state === state) };
}

const MENU = [
  product("1", A),
  product("2", B),
  product("3", C, { is_active: false }),
  product("4", A),
  product("5", null),
  product("6", "no hash"),
];
const stored = async (world) => (await world.database.read("records", (tx) => tx.getAllKeys("records"))).toSorted();

test("unless told everything that is sold is kept, each picture once", async () => {
  const world = await tabOf();
  const { offline, is, end } = await offlineOf(world);
  await is("complete");
  assert.deepEqual(offline.getSnapshot(), { mode: "everything", state: "complete", stored: 2, wanted: 2 });
  assert.deepEqual(await stored(world), [A, B].toSorted());
  await end();
});

for (const [mode, wanted] of Object.entries({ favourites: [B], recent: [A], nothing: [] }))
  test(`of ${mode} only those pictures are kept`, async () => {
    const world = await tabOf();
    const { is, end } = await offlineOf(world, { settings: { offline: mode, recent: ["4", "5", "gone"] } });
    await is("complete");
    assert.deepEqual(await stored(world), wanted);
    await end();
  });

test("a setting that nobody knows is everything", async () => {
  const world = await tabOf();
  const { offline, end } = await offlineOf(world, { settings: { offline: "some", recent: 7, picture_budget: "much" } });
  assert.equal(offline.getSnapshot().mode, "everything");
  await end();
});

test("paused it stops, and goes on with what is missing, also after a restart", async () => {
  const world = await tabOf();
  const first = await offlineOf(world, { settings: { offline_paused: true } });
  await first.is("paused");
  assert.deepEqual(world.server.requests, []);
  await first.images.getImageUrl(A);
  await first.end();
  const again = await tabOf(world);
  const second = await offlineOf(again);
  await second.is("complete");
  assert.equal(world.server.requests.length, 2);
  await second.end();
});

test("only the connected tab downloads, and only while it is live", async () => {
  const world = await tabOf();
  for (const more of [{ isConnected: false }, { state: "waiting" }, { state: "stopped" }]) {
    const { offline } = await offlineOf(world, more);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual([world.server.requests.length, offline.getSnapshot().stored], [0, 0]);
    offline.close();
  }
  const { connection, is, end } = await offlineOf(world, { state: "connecting" });
  connection.set({ state: "live" });
  await is("complete");
  await end();
});

test("another tab sees how far the connected one is", async () => {
  const world = await tabOf();
  const other = await tabOf(world);
  const watching = await offlineOf(other, { isConnected: false });
  const { end } = await offlineOf(world);
  await watching.is("complete");
  assert.equal(world.server.requests.length, 2);
  await end();
  await watching.end();
});

test("a picture that the server lacks leaves the others, and is tried again", async () => {
  const world = await tabOf();
  world.server.answers[B] = problem(404, "not_found");
  const { offline, is, end } = await offlineOf(world);
  await is("waiting");
  await until(() => offline.getSnapshot().stored === 1);
  delete world.server.answers[B];
  offline.hurry();
  await is("complete");
  await end();
});

test("a new product's picture comes, and one that is out of the menu is wanted no more", async () => {
  const world = await tabOf();
  const { offline, products, is, end } = await offlineOf(world);
  await is("complete");
  products.take([product("7", D), { id: "2", data: null }])();
  await until(() => offline.getSnapshot().wanted === 2 && offline.getSnapshot().state === "complete");
  await until(() => world.images.bytes.get(D));
  await end();
});

test("without room for all it says so, and asks for no more until the budget is another one", async () => {
  const world = await tabOf();
  const { offline, settings, is, end } = await offlineOf(world, { settings: { picture_budget: 150 } });
  await is("full");
  const asked = world.server.requests.length;
  offline.start(); // looks again
  settings.set({ picture_budget: 1000 });
  await is("complete");
  assert.ok(world.server.requests.length <= asked + 1);
  assert.equal(offline.getSnapshot().stored, 2);
  await end();
});
