import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Tabs } from "../src/tabs.js";
import { Air, closeAll, databases, FakeServer, isLive, names, open, pause, until } from "./world.js";

const tabs = [];
afterEach(async () => {
  for (const tab of tabs.splice(0)) tab.close();
  await closeAll();
});

function tab(air, { visible = true } = {}) {
  const view = { visible };
  const channel = air.channel();
  const made = new Tabs({ channel, isVisible: () => view.visible });
  const one = Object.assign(made, {
    channel,
    show: (on) => {
      view.visible = on;
      made.look();
    },
  });
  tabs.push(one);
  one.start();
  return one;
}

const connected = (...all) => all.filter((one) => one.isConnected());
const onlyOne = (which, ...all) =>
  until(() => connected(...all).length === 1 && which.isConnected(), "one connected tab");

test("the first tab is connected, and those that come later follow it", async () => {
  const air = new Air();
  const first = tab(air);
  await onlyOne(first, first);
  const [second, third] = [tab(air), tab(air, { visible: false })];
  await pause(400);
  await onlyOne(first, first, second, third);
});

test("tabs that begin together agree on one", async () => {
  const air = new Air();
  const all = Array.from({ length: 6 }, () => tab(air));
  await until(() => connected(...all).length === 1);
  await pause(300);
  assert.equal(connected(...all).length, 1);
});

test("a tab that is shown takes over from a hidden one, at once", async () => {
  const air = new Air();
  const first = tab(air);
  await onlyOne(first, first);
  const second = tab(air, { visible: false });
  await pause(300);
  first.show(false);
  await pause(20);
  await onlyOne(first, first, second);
  second.show(true);
  await onlyOne(second, first, second);
  first.show(true);
  await pause(50);
  await onlyOne(second, first, second);
});

test("when the connected tab is closed another takes its place", async () => {
  const air = new Air();
  const first = tab(air);
  await onlyOne(first, first);
  const [second, hidden] = [tab(air), tab(air, { visible: false })];
  await pause(50);
  first.close();
  await onlyOne(second, second, hidden);
});

test("a tab that is dead or frozen is succeeded within 10 seconds, and stops when it hears of it", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "setTimeout", "Date"], now: 1_000_000 });
  const air = new Air();
  const calm = async () => {
    for (let n = 0; n < 20; n += 1) await Promise.resolve();
  };
  const pass = async (milliseconds) => {
    for (let left = milliseconds; left > 0; left -= 100) {
      await calm();
      t.mock.timers.tick(100);
    }
    await calm();
  };
  const first = tab(air);
  await pass(500);
  const [second, hidden] = [tab(air), tab(air, { visible: false })];
  await pass(5000);
  assert.deepEqual(connected(first, second, hidden), [first]);
  first.channel.isDeaf = true;
  await pass(10_000);
  assert.deepEqual(connected(second, hidden), [second]);
  first.channel.isDeaf = false;
  await pass(2500);
  assert.deepEqual(connected(first, second, hidden), [second]);
});

test("tabs hold one stream: the others show each step and the state, fetch nothing, and take over", async () => {
  const [server, air, kept] = [new FakeServer(), new Air(), databases()];
  for (const database of Object.values(kept)) database.isKept = true;
  const first = await open(server, { databases: kept, channel: air.channel() });
  await server.greet();
  await isLive(first);
  const second = await open(server, { databases: kept, channel: air.channel() });
  await isLive(second);
  assert.deepEqual([names(second), second.connection.getSnapshot().isConnectedTab], [["hot"], false]);
  server.change({ id: "a", name: "hotter" });
  await until(() => names(second)[0] === "hotter");
  assert.deepEqual([server.streams.length, server.snapshots.length], [1, 1]);
  await first.close();
  await server.greet("v2");
  await isLive(second);
  assert.deepEqual([server.streams[1].cursor, server.snapshots.length], ["v2", 1]);
  server.change({ id: "a", name: "hottest" });
  await until(() => names(second)[0] === "hottest");
});

test("what is own is changed in both tabs, and no change is lost", async () => {
  const [server, air, kept] = [new FakeServer(), new Air(), databases()];
  for (const database of Object.values(kept)) database.isKept = true;
  const [one, other] = [
    await open(server, { databases: kept, channel: air.channel() }),
    await open(server, { databases: kept, channel: air.channel() }),
  ];
  const line = (id) => ({ id, product: "p", name: id, quantity: 1, price: 100, total: 100, options: [], rules: [] });
  const add = (id) => (ticket) => ({ ...ticket, lines: [...ticket.lines, line(id)] });
  await Promise.all([
    one.tickets.change("counter", add("a")),
    other.tickets.change("counter", add("b")),
    one.tickets.change("counter", add("c")),
    other.favourites.set("p", true),
    one.settings.set("language", "es"),
  ]);
  const lines = (terminal) =>
    terminal.tickets
      .get("counter")
      .lines.map(({ id }) => id)
      .sort()
      .join();
  await until(() => lines(one) === "a,b,c" && lines(other) === "a,b,c");
  await until(() => one.favourites.has("p") && other.settings.getSnapshot().language === "es");
  assert.equal(one.tickets.get("counter"), one.tickets.get("counter"));
  await other.tickets.clear("counter");
  await until(() => lines(one) === "");
  const empty = one.tickets.get("t1");
  assert.deepEqual([one.tickets.getSnapshot(), empty.lines], [[], []]);
  assert.equal(one.tickets.get("t1"), empty);
});

test("everything is cleared in all tabs, and what the server has comes again", async () => {
  const [server, air, kept] = [new FakeServer(), new Air(), databases()];
  for (const database of Object.values(kept)) database.isKept = true;
  const one = await open(server, { databases: kept, channel: air.channel() });
  await server.greet();
  await isLive(one);
  const other = await open(server, { databases: kept, channel: air.channel() });
  await other.settings.set("language", "es");
  await until(() => one.settings.getSnapshot().language === "es");
  await other.clearEverything();
  await until(() => one.settings.getSnapshot().language === undefined);
  await server.greet("again");
  await until(() => names(one)[0] === "hot" && names(other)[0] === "hot");
  assert.equal(server.snapshots.length, 2);
});
