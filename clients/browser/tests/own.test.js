import assert from "node:assert/strict";
import { test } from "node:test";
import { SHAPES } from "../src/database.js";
import { StorageFailed, StorageFull } from "../src/errors.js";
import { MemoryDatabase } from "../src/memory.js";
import { Favourites, Records, Settings, Tickets } from "../src/own.js";
import { emptyTicket, isTicket, withMoved, withOffer } from "../src/prices/ticket.js";
import { Tabs } from "../src/tabs.js";

class Full extends MemoryDatabase {
  room = 0;

  write(stores, work) {
    return this.room > 0 ? super.write(stores, work) : Promise.reject(new StorageFull());
  }
}

const full = () => new Full("test-own", SHAPES.own);

test("a full disk is made room on for what exists only here", async () => {
  const own = full();
  const records = new Records(own, "settings", new Tabs(), async (bytes) => {
    own.room = bytes;
    return bytes;
  });
  await new Settings(records).set("language", "es");
  assert.deepEqual(own.dump().settings, [["language", { id: "language", value: "es" }]]);
});

test("without room nothing changed, and it says so", async () => {
  const records = new Records(full(), "settings", new Tabs());
  const settings = new Settings(records);
  await assert.rejects(settings.set("language", "es"), StorageFull);
  assert.deepEqual(settings.getSnapshot(), {});
});

for (const record of [
  { id: "counter" },
  { id: "counter", lines: "none", total: 0, since: null },
  { id: "counter", lines: [null], total: 0, since: null },
  { id: "counter", lines: [{ id: "a", rules: [null], options: [] }], total: 0, since: 1 },
  { id: "counter", lines: [], total: 0, since: "yesterday" },
])
  test(`a ticket that is ${JSON.stringify(record)} is shown by nobody, and lost by nobody`, async () => {
    const own = new MemoryDatabase("test-own", SHAPES.own);
    await own.write("tickets", (tx) => tx.put("tickets", record));
    const records = new Records(own, "tickets", new Tabs(), undefined, isTicket);
    const tickets = new Tickets(records, () => emptyTicket(), withMoved);
    await assert.rejects(records.load(), StorageFailed);
    assert.deepEqual(tickets.getSnapshot(), []);

    const offer = { product: "p", name: "Coffee", price: 350, base: 350, rules: [], options: [], weight: null, at: 1 };
    await tickets.change("counter", (ticket) => withOffer(ticket, /** @type {any} */ (offer), { id: "line" }));
    assert.equal(tickets.get("counter").total, 350);
    const stored = own.dump().tickets.map(([, each]) => each);
    assert.deepEqual(stored.find((each) => each.record)?.record, record);
    assert.equal(stored.length, 2);
  });

test("settings and favourites are the same objects until they changed", async () => {
  const own = new MemoryDatabase("test-own", SHAPES.own);
  const settings = new Settings(new Records(own, "settings", new Tabs()));
  const favourites = new Favourites(new Records(own, "favourites", new Tabs()));
  await settings.set("theme", "dark");
  await favourites.set("b", true);
  await new Promise((resolve) => setTimeout(resolve, 2));
  await favourites.set("a", true);
  await favourites.set("b", true);
  assert.equal(settings.getSnapshot(), settings.getSnapshot());
  assert.deepEqual(favourites.getSnapshot(), ["b", "a"]);
  await settings.set("theme", undefined);
  await favourites.set("b", false);
  assert.deepEqual([settings.getSnapshot(), favourites.getSnapshot(), favourites.has("b")], [{}, ["a"], false]);
});
