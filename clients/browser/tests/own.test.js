import assert from "node:assert/strict";
import { test } from "node:test";
import { SHAPES } from "../src/database.js";
import { StorageFull } from "../src/errors.js";
import { MemoryDatabase } from "../src/memory.js";
import { Favourites, Records, Settings } from "../src/own.js";
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
