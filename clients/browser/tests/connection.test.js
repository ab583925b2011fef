import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { closeAll, E2, FakeServer, html, inState, isLive, json, names, open, pause, problem, until } from "./world.js";

afterEach(closeAll);

const state = (terminal) => terminal.connection.getSnapshot();

test("it listens, fetches what is missing, and is live", async () => {
  const server = new FakeServer();
  const terminal = await open(server);
  const states = [];
  terminal.connection.subscribe(() => states.push(state(terminal).state));
  assert.deepEqual([state(terminal).state, state(terminal).missing], ["connecting", ["tag"]]);
  await server.greet();
  await isLive(terminal);
  assert.deepEqual([...new Set(states)], ["catching up", "live"]);
  assert.deepEqual([names(terminal), state(terminal).missing, state(terminal).reason], [["hot"], [], null]);
  assert.equal(server.asked.filter((asked) => asked.includes("/api/sync/")).length, 2);
});

test("a change is one step, which changes nothing in the state of the connection", async () => {
  const server = new FakeServer();
  const terminal = await open(server);
  await server.greet();
  await isLive(terminal);
  const before = state(terminal);
  const heard = [];
  terminal.onUpdates((updates) => heard.push(updates));
  server.change({ id: "b", name: "vegan" }, { action: "created", cut: false });
  await pause(20);
  assert.deepEqual([names(terminal), state(terminal).state], [["hot"], "live"]);
  server.change({ id: "a" }, { action: "deleted" });
  await until(() => heard.length);
  assert.deepEqual(names(terminal), ["vegan"]);
  assert.deepEqual(
    heard[0].map(({ action, before, data }) => [action, before?.name, data?.name]),
    [
      ["created", undefined, "vegan"],
      ["deleted", "hot", undefined],
    ],
  );
  assert.equal(state(terminal), before);
});

test("what comes while a step is written is the next step, up to its last cut", async () => {
  const server = new FakeServer();
  const terminal = await open(server, { times: { step: 50 } });
  await server.greet();
  await isLive(terminal);
  const sizes = [];
  terminal.onUpdates((updates) => sizes.push(updates.length));
  for (let n = 0; n < 100; n += 1) server.change({ id: `n${n}`, name: String(n) });
  await until(() => terminal.resources.tag.size === 101);
  assert.ok(sizes.length <= 3, `${sizes} steps`);
});

test("a device that was revoked stops, keeps what it holds, and goes on when somebody enrolled it again", async () => {
  const server = new FakeServer();
  const terminal = await open(server);
  await server.greet();
  await isLive(terminal);
  server.answer = (url) => (url.pathname === "/api/sync/events" ? problem(401, "invalid_token") : null);
  server.stream.end();
  await inState(terminal, "stopped");
  const asked = server.asked.length;
  await pause(60);
  assert.equal(server.asked.length, asked);
  assert.deepEqual([names(terminal), state(terminal).reason.code], [["hot"], "invalid_token"]);
  server.answer = (url) =>
    url.pathname === "/api/devices/enroll" ? json({ id: "d", name: "Till", scopes: ["read"] }, { status: 201 }) : null;
  assert.equal((await terminal.enrol("ABCD-EFGH", "Till")).name, "Till");
  await server.greet("two");
  await isLive(terminal);
  assert.equal(server.snapshots.length, 1);
});

for (const [what, answer] of Object.entries({
  "a captive portal": () => html(),
  "its 401": () => html(401),
  "its 403 without a body": () => new Response(null, { status: 403 }),
  "its 404": () => html(404),
  "a proxy's 502": () => html(502),
}))
  test(`${what} is a server that isn't reached: nothing ends, and it comes back by itself`, async () => {
    const server = new FakeServer();
    const terminal = await open(server);
    await server.greet();
    await isLive(terminal);
    server.answer = answer;
    server.stream.break();
    await inState(terminal, "waiting");
    await pause(50);
    assert.deepEqual(names(terminal), ["hot"]);
    assert.notEqual(state(terminal).state, "stopped");
    server.answer = () => null;
    await server.greet();
    await isLive(terminal);
    assert.equal(server.snapshots.length, 1);
  });

test("a server that comes back is found long before the back-off is over, unless it named a time", async () => {
  const server = new FakeServer();
  const terminal = await open(server, { times: { probe: 20 } });
  await server.greet();
  await isLive(terminal);
  const away = () => {
    throw new TypeError("fetch failed");
  };
  server.answer = away;
  server.stream.break();
  await until(() => state(terminal).failures >= 8 || state(terminal).retryAt > Date.now() + 2000);
  const retryAt = state(terminal).retryAt;
  server.answer = () => null;
  await server.greet();
  assert.ok(Date.now() < retryAt);
  await isLive(terminal);
  server.answer = (url) =>
    url.pathname === "/api/sync/events" ? problem(503, "over_capacity", {}, { "Retry-After": "60" }) : null;
  server.stream.end();
  await until(() => state(terminal).retryAt > Date.now() + 50_000);
  server.asked.length = 0;
  await pause(100);
  assert.deepEqual(server.asked, []);
  server.answer = () => null;
  terminal.hurry();
  await server.greet();
  await isLive(terminal);
});

test("a frame without what it needs ends the connection; the third time its resource is fetched whole", async () => {
  const server = new FakeServer();
  server.versions.zone = 1;
  server.objects.zone = [{ id: "z", name: "Bar" }];
  const terminal = await open(server, { resources: ["tag", "zone"] });
  for (let round = 0; round < 3; round += 1) {
    await server.greet();
    await isLive(terminal);
    assert.equal(server.snapshots.length, 2);
    server.stream.frame("sync", "bad", {
      resource: "tag",
      action: "updated",
      id: "a",
      version: 2,
      data: { id: "b" },
      cut: true,
    });
    await until(() => !server.stream);
  }
  await server.greet("four");
  await until(() => server.snapshots.length === 3);
  await isLive(terminal);
  assert.deepEqual(server.snapshots, ["GET /api/sync/tag", "GET /api/sync/zone", "GET /api/sync/tag"]);
  assert.equal(server.streams.at(-1).cursor, null);
});

test("an answer about another resource, or of no shape, is never stored", async () => {
  const server = new FakeServer();
  const wrong = [
    () => json({ epoch: server.epoch, resource: "zone", version: 1, items: [{ id: "x", name: "wrong" }] }),
    () => json({ epoch: server.epoch, resource: "tag", version: 1, items: [{ name: "without an id" }] }),
    () => json({ resource: "tag", version: 1, items: [] }),
    () => json([]),
    () => html(),
  ];
  server.answer = (url) => (url.pathname === "/api/sync/tag" ? (wrong.shift()?.() ?? null) : null);
  const terminal = await open(server);
  while (wrong.length) {
    const { length } = wrong;
    if (!server.stream) await server.greet();
    terminal.hurry();
    await until(() => wrong.length < length || !server.stream);
    assert.deepEqual(names(terminal), []);
  }
  await until(async () => {
    if (!server.stream) await server.greet();
    terminal.hurry();
    return state(terminal).state === "live";
  });
  assert.deepEqual(names(terminal), ["hot"]);
});

test("where streams are let in and say nothing it asks for the status, and tries a stream again", async () => {
  const server = new FakeServer();
  const terminal = await open(server, { times: { patience: 60 } });
  await until(() => server.streams.length === 2 && state(terminal).state === "live", "polling");
  assert.equal(state(terminal).isPolling, true);
  assert.equal(server.streams.length, 2);
  server.versions.tag = 2;
  server.objects.tag = [{ id: "a", name: "hotter" }];
  await until(() => names(terminal)[0] === "hotter");
  await until(() => server.streams.length === 3, "a third stream");
  server.greeted = 2;
  await server.greet();
  await until(() => !state(terminal).isPolling && state(terminal).state === "live");
});

test("a silent stream is given up", async () => {
  const server = new FakeServer();
  const terminal = await open(server, { times: { silence: 60 } });
  await server.greet();
  await isLive(terminal);
  await until(() => server.streams.length === 2, "another stream");
  assert.equal(server.streams[1].cursor, "one");
});

test("a new epoch is fetched once, and the old objects stay until the new ones are there", async () => {
  const server = new FakeServer();
  const terminal = await open(server);
  await server.greet();
  await isLive(terminal);
  let answer;
  server.answer = (url) =>
    url.pathname === "/api/sync/tag"
      ? new Promise((resolve) => {
          answer = resolve;
        })
      : null;
  server.epoch = E2;
  server.objects.tag = [{ id: "b", name: "new" }];
  server.stream.frame("resync", "two", { epoch: E2, versions: { tag: 1 }, resources: ["tag"], reason: "epoch" });
  await until(() => answer);
  assert.deepEqual(
    [names(terminal), state(terminal).state, state(terminal).missing],
    [["hot"], "catching up", ["tag"]],
  );
  answer(null);
  await isLive(terminal);
  assert.deepEqual([names(terminal), server.snapshots.length], [["new"], 2]);
});

test("a shop and a device are asked for at each connection, and kept", async () => {
  const server = new FakeServer();
  const terminal = await open(server);
  await server.greet();
  await until(() => terminal.shop.getSnapshot().name === "Casa");
  const again = await open(server, { databases: terminal.databases });
  assert.equal(again.shop.getSnapshot().time_zone, "Europe/Madrid");
  assert.equal(again.device.getSnapshot(), null);
});

test("what answers the enrolment with anything but a device enrols nobody", async () => {
  const server = new FakeServer();
  const terminal = await open(server);
  const before = terminal.device.getSnapshot();
  for (const answer of [{}, [], "x", null, { id: "d", name: "Till" }]) {
    server.answer = (url) => (url.pathname === "/api/devices/enroll" ? json(answer, { status: 201 }) : null);
    await assert.rejects(terminal.enrol("ABCD-EFGH", "Till"), { code: "unexpected_answer" });
    assert.equal(terminal.device.getSnapshot(), before);
  }
});
