import assert from "node:assert/strict";
import { test } from "node:test";
import { Resource, Value } from "../src/resources.js";

const rows = (...ids) => ids.map((id) => ({ id, data: { id } }));

test("a snapshot is the same list until something changed, and in the order of ids", () => {
  const tags = new Resource();
  tags.take(rows("b", "a", "d"))();
  const first = tags.getSnapshot();
  assert.deepEqual(
    first.map(({ id }) => id),
    ["a", "b", "d"],
  );
  assert.equal(tags.getSnapshot(), first);
  tags.take([
    { id: "c", data: { id: "c" } },
    { id: "a", data: null },
    { id: "x", data: null },
  ])();
  assert.deepEqual(
    tags.getSnapshot().map(({ id }) => id),
    ["b", "c", "d"],
  );
  assert.equal(tags.get("b"), first[1]);
  assert.equal(first.length, 3);
});

test("a few changes and many come to the same list", () => {
  const [few, many] = [new Resource(), new Resource()];
  const changes = Array.from({ length: 200 }, (_, n) => ({
    id: String((n * 37) % 80),
    data: n % 3 ? { id: String((n * 37) % 80), n } : null,
  }));
  for (const change of changes) {
    few.getSnapshot();
    few.take([change]);
  }
  many.take(changes);
  assert.deepEqual(few.getSnapshot(), many.getSnapshot());
});

test("who subscribes to one object hears of it alone, also before it is there", () => {
  const tags = new Resource();
  const heard = [];
  const end = tags.subscribeTo("a", () => heard.push(tags.get("a")?.n));
  tags.take([{ id: "a", data: { id: "a", n: 1 } }])();
  tags.take(rows("b"))();
  tags.take([{ id: "a", data: null }])();
  end();
  tags.take(rows("a"))();
  assert.deepEqual(heard, [1, undefined]);
});

test("what a subscriber throws stops nobody else, and who ended isn't called any more", (t) => {
  const said = t.mock.method(console, "error", () => {});
  const value = new Value(1);
  const heard = [];
  value.subscribe(() => {
    endLast();
    throw new Error("mine");
  });
  value.subscribe(() => heard.push(value.getSnapshot()));
  const endLast = value.subscribe(() => heard.push("ended"));
  value.set(2);
  value.set(2);
  assert.deepEqual(heard, [2]);
  assert.equal(said.mock.callCount(), 1);
});
