import assert from "node:assert/strict";
import { test } from "node:test";
import { SHAPES } from "../src/database.js";
import { MemoryDatabase } from "../src/memory.js";

const copy = () => new MemoryDatabase("test-copy", SHAPES.copy);

test("a range of a list's beginning finds the objects of one resource, in order", async () => {
  const db = copy();
  await db.write("objects", (tx) => {
    for (const key of [
      ["tag", "b"],
      ["zone", "a"],
      ["tag", "a"],
      ["product", "z"],
    ])
      tx.put("objects", key[1], key);
  });
  const range = { from: ["tag"], before: ["tag", []] };
  assert.deepEqual(await db.read("objects", (tx) => tx.getAll("objects", range)), ["a", "b"]);
  await db.write("objects", (tx) => tx.delete("objects", range));
  assert.deepEqual(await db.read("objects", (tx) => tx.getAllKeys("objects")), [
    ["product", "z"],
    ["zone", "a"],
  ]);
});

test("what fails writes nothing", async () => {
  const db = copy();
  const failing = db.write(["state", "objects"], async (tx) => {
    tx.put("state", 1, "one");
    tx.clear("objects");
    assert.equal(await tx.get("state", "one"), 1);
    throw new Error("no");
  });
  await assert.rejects(failing, /no/);
  assert.equal(await db.read("state", (tx) => tx.get("state", "one")), undefined);
});

test("writes come one after the other, and what is read is nobody else's", async () => {
  const db = copy();
  const add = () =>
    db.write("state", async (tx) => tx.put("state", { n: ((await tx.get("state", "n"))?.n ?? 0) + 1 }, "n"));
  await Promise.all([add(), add(), add()]);
  const read = await db.read("state", (tx) => tx.get("state", "n"));
  read.n = 100;
  assert.deepEqual(await db.read("state", (tx) => tx.get("state", "n")), { n: 3 });
});

test("an index is in the order of what it indexes", async () => {
  const db = new MemoryDatabase("test", {
    version: 1,
    isCopy: true,
    stores: { records: { keyPath: "key", indexes: { used: "used" } } },
  });
  await db.write("records", (tx) => {
    for (const [key, used] of [
      ["a", 3],
      ["b", 1],
      ["c", 2],
    ])
      tx.put("records", { key, used });
  });
  const found = await db.read("records", (tx) => tx.getAllByIndex("records", "used", { from: 2 }, 1));
  assert.deepEqual(found, [{ key: "c", used: 2 }]);
});
