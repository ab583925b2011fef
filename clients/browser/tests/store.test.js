import assert from "node:assert/strict";
import { test } from "node:test";
import { SHAPES } from "../src/database.js";
import { StorageFull } from "../src/errors.js";
import { MemoryDatabase } from "../src/memory.js";
import { CopyStore, Overtaken } from "../src/store.js";
import { E1 } from "./world.js";

const tag = (id, name = id) => ({ id, name });
const database = () => new MemoryDatabase("test-copy", SHAPES.copy);

async function opened(kept = database(), { makeRoom = async () => 0 } = {}) {
  const reported = [];
  const store = new CopyStore(kept, ["tag", "zone"], {
    now: () => 1000,
    makeRoom,
    report: (error) => reported.push(error),
  });
  await store.load();
  return Object.assign(store, { reported });
}

const snapshot = (version, items, resource = "tag") => ({
  kind: "step",
  epoch: E1,
  versions: { tag: 0, zone: 0, [resource]: version },
  cursor: `c${version}`,
  changes: [],
  replaced: resource,
  items,
});
const change = (version, action, row) => ({
  ...snapshot(version, []),
  replaced: null,
  changes: [{ resource: "tag", action, id: row.id, version, data: action === "deleted" ? null : row }],
});
const write = (store, step) => store.write(step, { isCurrent: true });
const names = (store) => store.resources.tag.getSnapshot().map(({ name }) => name);

test("what was written is there again, with versions, cursor and the time", async () => {
  const kept = database();
  const store = await opened(kept);
  await write(store, snapshot(7, [tag("a", "hot"), tag("b")]));
  await write(store, change(8, "deleted", tag("b")));
  const again = await opened(kept);
  assert.deepEqual(names(again), ["hot"]);
  assert.deepEqual(again.rulesFrom(), {
    epoch: E1,
    versions: { tag: 8, zone: 0 },
    cursor: "c8",
    resources: ["tag", "zone"],
  });
  assert.deepEqual([again.held.lastSyncTime, again.held.sequence, again.reported], [1000, 2, []]);
});

test("a snapshot tells of what differs, and of nothing else", async () => {
  const store = await opened();
  await write(store, snapshot(1, [tag("a"), { ...tag("b"), tags: ["x", { y: null }] }, tag("c")]));
  const told = [];
  store.onUpdates((updates) => told.push(...updates.map(({ action, id }) => `${action} ${id}`)));
  const kept = store.resources.tag.get("b");
  await write(store, snapshot(5, [tag("a", "new"), { tags: ["x", { y: null }], ...tag("b") }, tag("d")]));
  assert.deepEqual(told, ["updated a", "created d", "deleted c"]);
  assert.equal(store.resources.tag.get("b"), kept);
});

test("only the last of several changes of an object counts, and one without data changes nothing", async () => {
  const store = await opened();
  await write(store, snapshot(1, [tag("a")]));
  const changes = [
    ["updated", tag("a", "1")],
    ["deleted", tag("a")],
    ["created", tag("a", "2")],
  ].map(([action, row], at) => ({
    resource: "tag",
    action,
    id: "a",
    version: at + 2,
    data: action === "deleted" ? null : row,
  }));
  const gone = { resource: "tag", action: "created", id: "z", version: 5, data: null };
  await write(store, { ...change(5, "updated", tag("a")), changes: [...changes, gone] });
  assert.deepEqual(names(store), ["2"]);
});

test("who was overtaken writes nothing, reads again and says so", async () => {
  const kept = database();
  const [one, other] = [await opened(kept), await opened(kept)];
  await write(one, snapshot(7, [tag("a")]));
  await assert.rejects(write(other, snapshot(3, [tag("old")])), Overtaken);
  assert.deepEqual([names(other), other.held.cursor], [["a"], "c7"]);
  await write(other, change(8, "updated", tag("b")));
  assert.deepEqual(names(await opened(kept)), ["a", "b"]);
});

test("another tab's steps are followed, and read again when one was missed", async () => {
  const kept = database();
  const [one, other] = [await opened(kept), await opened(kept)];
  const news = [];
  one.onNews((step) => news.push(structuredClone(step)));
  await write(one, snapshot(1, [tag("a")]));
  await write(one, change(2, "updated", tag("b")));
  await write(one, change(3, "updated", tag("c")));
  let reads = 0;
  const read = kept.read.bind(kept);
  kept.read = (...of) => {
    reads += 1;
    return read(...of);
  };
  await other.follow(news[0]);
  assert.deepEqual([names(other), reads], [["a"], 0]);
  await other.follow(news[2]);
  assert.deepEqual([names(other), reads], [["a", "b", "c"], 1]);
  await other.follow(news[1]);
  assert.deepEqual([names(other), reads], [["a", "b", "c"], 1]);
  await write(other, change(4, "deleted", tag("a")));
  assert.equal(other.held.sequence, 4);
});

test("many changes are read again by the other tabs, not told one by one", async () => {
  const kept = database();
  const [one, other] = [await opened(kept), await opened(kept)];
  const news = [];
  one.onNews((step) => news.push(step));
  kept.isKept = true;
  await write(
    one,
    snapshot(
      1,
      Array.from({ length: 1001 }, (_, n) => tag(`n${n}`)),
    ),
  );
  assert.equal(news[0].effects, null);
  await other.follow(news[0]);
  assert.equal(other.resources.tag.size, 1001);
});

class Full extends MemoryDatabase {
  room = 0;
  tries = 0;

  write(stores, work) {
    this.tries += 1;
    return this.room > 0 ? super.write(stores, work) : Promise.reject(new StorageFull());
  }
}

test("a full disk is made room on by what can be fetched again", async () => {
  const kept = new Full("test-copy", SHAPES.copy);
  const makeRoom = async (bytes) => {
    kept.room = bytes;
    return bytes;
  };
  const store = await opened(kept, { makeRoom });
  await write(store, snapshot(7, [tag("a")]));
  assert.equal(store.problem.getSnapshot(), null);
  assert.deepEqual(names(await opened(kept)), ["a"]);
});

test("without room it goes on in memory and says so; when there is room, nothing is missing on the disk", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
  const kept = new Full("test-copy", SHAPES.copy);
  const store = await opened(kept);
  await write(store, snapshot(7, [tag("a"), tag("b")]));
  await write(store, change(8, "deleted", tag("b")));
  assert.deepEqual([names(store), store.problem.getSnapshot()?.code, kept.tries], [["a"], "storage_full", 1]);
  kept.room = 1;
  t.mock.timers.setTime(1_040_000);
  await write(store, change(9, "updated", tag("c")));
  assert.equal(store.problem.getSnapshot(), null);
  const again = await opened(kept);
  assert.deepEqual([names(again), again.held.versions.tag, again.reported], [["a", "c"], 9, []]);
});

test("a disk that has room again is written to without waiting for a change", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
  const kept = new Full("test-copy", SHAPES.copy);
  const store = await opened(kept);
  await write(store, snapshot(7, [tag("a")]));
  kept.room = 1;
  t.mock.timers.setTime(1_040_000);
  await store.noteSync();
  assert.deepEqual([names(await opened(kept)), store.problem.getSnapshot()], [["a"], null]);
});

test("a damaged resource is shown as far as it goes, fetched whole, and healed", async () => {
  const kept = database();
  await write(await opened(kept), snapshot(7, [tag("a"), tag("b"), tag("c")]));
  await kept.write("objects", (tx) => {
    tx.put("objects", { id: 3 }, ["tag", "b"]);
    tx.delete("objects", ["tag", "c"]);
  });
  const store = await opened(kept);
  assert.deepEqual(
    [names(store), store.rulesFrom().versions, store.reported.length],
    [["a"], { tag: null, zone: 0 }, 1],
  );
  await write(store, snapshot(7, [tag("a"), tag("c")]));
  const again = await opened(kept);
  assert.deepEqual([names(again), again.rulesFrom().versions.tag, again.reported], [["a", "c"], 7, []]);
});

for (const state of [
  7,
  { epoch: 1 },
  { epoch: E1, versions: { tag: "x" }, cursor: null, sequence: 1, counts: {} },
  null,
])
  test(`a state that is ${JSON.stringify(state)} begins anew`, async () => {
    const kept = database();
    await write(await opened(kept), snapshot(7, [tag("a")]));
    await kept.write("state", (tx) => tx.put("state", state, "held"));
    const store = await opened(kept);
    assert.deepEqual([names(store), store.held.epoch, store.reported.length], [[], null, 1]);
    await write(store, snapshot(7, [tag("b")]));
    assert.deepEqual(names(await opened(kept)), ["b"]);
  });

test("a database that was dropped under us is written whole with the next step, and nothing is lost from the screen", async () => {
  const kept = database();
  const store = await opened(kept);
  await write(store, snapshot(7, [tag("a"), tag("b")]));
  await kept.write(["state", "objects"], (tx) => {
    tx.clear("state");
    tx.clear("objects");
  });
  await store.refresh();
  assert.deepEqual([names(store), store.rulesFrom().versions.tag], [["a", "b"], 7]);
  await write(store, change(8, "updated", tag("c")));
  const again = await opened(kept);
  assert.deepEqual([names(again), again.held.versions.tag, again.reported], [["a", "b", "c"], 8, []]);
});

test("a tab that missed the last step reads it when it hears where the other stands", async () => {
  const kept = database();
  const [one, other] = [await opened(kept), await opened(kept)];
  await write(one, snapshot(7, [tag("a")]));
  await other.reach(one.held.sequence);
  assert.deepEqual(names(other), ["a"]);
});
