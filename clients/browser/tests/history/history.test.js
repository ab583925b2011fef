import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { StorageFull } from "../../src/errors.js";
import { HISTORY_SHAPES } from "../../src/history/history.js";
import { MemoryDatabase } from "../../src/memory.js";
import { Air } from "../world.js";
import { closeAll, databases, HistoryServer, ids, inState, open, problem, until } from "./world.js";

afterEach(closeAll);

/** A server with the items a, b, c. */
function threeItems() {
  const server = new HistoryServer();
  for (const id of ["a", "b", "c"]) server.put(id);
  return server;
}

test("a history comes whole, then what changed, and what was deleted goes", async () => {
  const server = threeItems();
  const history = await open(server);
  await inState(history, "live");
  assert.deepEqual(ids(history), ["a", "b", "c"]);
  server.put("b", { favorite: true });
  server.remove("a");
  server.put("d");
  server.page = 1;
  await history.look();
  assert.deepEqual(ids(history), ["b", "c", "d"]);
  assert.equal(history.items.get("b").favorite, true);
  assert.equal(server.asked.filter((asked) => asked.includes("since=0")).length, 1);
});

test("what is kept is there without the network, and goes on from there", async () => {
  const server = threeItems();
  const kept = databases();
  await inState(await open(server, { kept }), "live");
  await closeAll();
  server.isAway = true;
  const history = await open(server, { kept });
  await inState(history, "waiting");
  assert.deepEqual(ids(history), ["a", "b", "c"]);
  assert.ok(history.connection.getSnapshot().asOf > 0);
  server.isAway = false;
  server.put("d");
  server.asked.length = 0;
  await history.look();
  assert.deepEqual(ids(history), ["a", "b", "c", "d"]);
  assert.ok(!server.asked.some((asked) => asked.includes("since=0")));
});

test("after a restored backup all of it comes again, and nothing is lost from sight meanwhile", async () => {
  const server = threeItems();
  const history = await open(server);
  await inState(history, "live");
  server.epoch = "0a5e1f6e-0000-4000-8000-000000000002";
  server.remove("c");
  const shown = [];
  history.items.subscribe(() => shown.push(ids(history)));
  await history.look();
  assert.deepEqual(shown, [["a", "b"]]);
});

test("a page without a login stops, and keeps what it shows", async () => {
  const server = threeItems();
  const history = await open(server);
  await inState(history, "live");
  server.answer = () => problem(401, "not_authenticated");
  await history.look();
  assert.equal(history.connection.getSnapshot().state, "stopped");
  assert.deepEqual(ids(history), ["a", "b", "c"]);
});

test("what isn't our server's answer is not reached", async () => {
  const server = threeItems();
  const history = await open(server);
  await inState(history, "live");
  server.answer = () => new Response("<title>Wi-Fi</title>", { headers: { "content-type": "text/html" } });
  await history.look();
  assert.equal(history.connection.getSnapshot().state, "waiting");
  assert.equal(history.connection.getSnapshot().reason.code, "unexpected_answer");
});

test("another login sees nothing, and writes nothing into what is kept", async () => {
  const server = threeItems();
  const kept = databases();
  let login = "one";
  const history = await open(server, { kept, login: () => login });
  await inState(history, "live");
  server.owner = 8; // somebody else has logged in in another tab
  login = "two";
  server.put("theirs");
  await history.look();
  assert.deepEqual(ids(history), []);
  assert.equal(history.connection.getSnapshot().reason.code, "another_login");
  await closeAll();
  const later = await open(server, { kept, login: () => login });
  assert.deepEqual(ids(later), []);
  await inState(later, "stopped");
  assert.deepEqual(ids(later), []);
  await closeAll();
  server.owner = 7;
  server.isAway = true;
  const own = await open(server, { kept, login: () => "one" });
  assert.deepEqual(ids(own), ["a", "b", "c"]);
});

test("under a new login what is kept is shown when the server has said whose it is, and then without it", async () => {
  const server = threeItems();
  const kept = databases();
  await inState(await open(server, { kept }), "live");
  await closeAll();
  server.isAway = true;
  const away = await open(server, { kept, login: () => "two" });
  await inState(away, "waiting");
  assert.deepEqual(ids(away), []);
  server.isAway = false;
  await away.look();
  assert.deepEqual(ids(away), ["a", "b", "c"]);
  assert.equal(server.asked.filter((asked) => asked.includes("since=0")).length, 1);
  await closeAll();
  server.isAway = true;
  assert.deepEqual(ids(await open(server, { kept, login: () => "two" })), ["a", "b", "c"]);
});

test("a change of one tab is seen in the other at once", async () => {
  const server = threeItems();
  const air = new Air();
  const kept = databases();
  for (const database of Object.values(kept)) database.isKept = true;
  const one = await open(server, { kept, channel: air.channel(), times: { soon: 1e6, seldom: 1e6 } });
  const other = await open(server, { kept, channel: air.channel(), times: { soon: 1e6, seldom: 1e6 } });
  for (const history of [one, other]) await inState(history, "live");
  await one.take(server.put("b", { favorite: true }));
  await until(() => other.items.get("b").favorite);
  await one.drop("a");
  await until(() => ids(other).length === 2);
});

class Full extends MemoryDatabase {
  isFull = false;

  write(stores, work) {
    return this.isFull ? Promise.reject(new StorageFull()) : super.write(stores, work);
  }
}

test("on a full disk the history goes on in memory, and is written when there is room", async () => {
  const server = threeItems();
  const items = new Full("test-items", HISTORY_SHAPES.items);
  const kept = databases({ items });
  const history = await open(server, { kept });
  await inState(history, "live");
  items.isFull = true;
  server.put("d");
  server.remove("a");
  await history.look();
  assert.deepEqual(ids(history), ["b", "c", "d"]);
  assert.ok(history.problem.getSnapshot() instanceof StorageFull);
  items.isFull = false;
  server.put("e");
  await history.look();
  assert.equal(history.problem.getSnapshot(), null);
  await closeAll();
  server.isAway = true;
  assert.deepEqual(ids(await open(server, { kept })), ["b", "c", "d", "e"]);
});

test("while a picture is being made the server is asked again soon", async () => {
  const server = threeItems();
  server.put("d", { status: "generating", r2_key: null, hash: null });
  const history = await open(server, { times: { soon: 5, seldom: 1e6 } });
  await inState(history, "live");
  server.put("d", { status: "ready" });
  await until(() => history.items.get("d").status === "ready");
});

test("a server that fails is asked as often as one that has nothing new, however often it failed", async () => {
  const server = threeItems();
  let failures = 0;
  server.answer = (url) => {
    if (failures === 12) return null;
    failures += url.pathname === "/api/history/sync" ? 1 : 0;
    return problem(503, "busy");
  };
  const history = await open(server);
  await inState(history, "live");
  assert.equal(failures, 12);
  assert.deepEqual(ids(history), ["a", "b", "c"]);
});
