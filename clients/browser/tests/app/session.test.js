import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL, FAVOURITES, RECENTLY, Session, Signal } from "../../app/parts/session.js";
import { COUNTER, emptyTicket } from "../../src/prices/ticket.js";

const TEA = {
  ...{ id: "tea", name: "Tea", price: "4.00", price_type: "fixed", unit: "", category: "drinks", position: 0 },
  ...{ tags: ["vegan"], attributes: [], image: null, is_active: true, is_sold_out: false },
};
const RULE = {
  ...{
    id: "r",
    name: "Happy hour",
    adjustment: "percentage",
    value: "-50.00",
    scope: "all",
    weekdays: [],
    priority: 0,
  },
  ...{
    time_from: "17:00:00",
    time_to: "18:00:00",
    valid_from: null,
    valid_to: null,
    is_active: true,
    is_stackable: false,
  },
};

/** A terminal in memory, as far as a session knows one. */
function aTerminal({ now = () => Date.parse("2026-11-30T16:00:30Z"), ...rows } = /** @type {any} */ ({})) {
  const collection = (/** @type {any[]} */ all = []) => {
    const changed = new Signal();
    const store = {
      rows: all,
      subscribe: changed.subscribe,
      getSnapshot: () => store.rows,
      get: (/** @type {string} */ id) => store.rows.find((row) => row.id === id),
      get size() {
        return store.rows.length;
      },
      set: (/** @type {any[]} */ next) => {
        store.rows = next;
        changed.emit();
      },
    };
    return store;
  };
  const value = (/** @type {any} */ kept) => ({ subscribe: () => () => {}, getSnapshot: () => kept });
  /** @type {Record<string, any>} */
  const settings = rows.settings ?? {};
  /** @type {Map<string, any>} */
  const tickets = new Map();
  const names = ["product", "category", "tag", "attribute", "zone", "dining_table", "price_rule"];
  return /** @type {any} */ ({
    now,
    resources: Object.fromEntries(names.map((name) => [name, collection(rows[name])])),
    shop: value({ name: "", time_zone: "UTC", currency: "EUR" }),
    favourites: value(rows.favourites ?? []),
    settings: {
      getSnapshot: () => settings,
      set: async (/** @type {string} */ name, /** @type {any} */ set) => void Object.assign(settings, { [name]: set }),
    },
    tickets: {
      get: (/** @type {string} */ id) => tickets.get(id) ?? emptyTicket(),
      change: async (/** @type {string} */ id, /** @type {(ticket: any) => any} */ change) =>
        void tickets.set(id, change(tickets.get(id) ?? emptyTicket())),
    },
    onUpdates: () => () => {},
  });
}

const found = (/** @type {Session} */ session) => session.shown().sections.flatMap((section) => section.items);

test("prices change at the full minute at which a rule begins, and only then is it told", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.parse("2026-11-30T16:58:30Z") });
  const session = new Session(aTerminal({ now: Date.now, product: [TEA], price_rule: [RULE] }));
  let told = 0;
  session.told.subscribe(() => {
    told += 1;
  });

  assert.equal(session.priceOf(/** @type {any} */ (TEA)).amount, 400);
  context.mock.timers.tick(60_000);
  assert.equal(told, 0);
  context.mock.timers.tick(31_000);
  assert.equal(told, 1);
  assert.equal(session.priceOf(/** @type {any} */ (TEA)).amount, 200);
  context.mock.timers.tick(3600_000);
  assert.equal(session.priceOf(/** @type {any} */ (TEA)).amount, 400);
  context.mock.timers.reset();
});

test("the place is kept, its zone counts, and a table that is gone gives way to the counter", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const [table, other] = [
    { id: "t1", zone: "terrace" },
    { id: "t2", zone: "hall" },
  ];
  const zoned = {
    ...RULE,
    scope: "zone",
    zone: "terrace",
    adjustment: "amount",
    value: "0.50",
    time_from: null,
    time_to: null,
  };
  const terminal = aTerminal({ dining_table: [table, other], price_rule: [zoned], settings: { place: "t1" } });
  const session = new Session(terminal);

  assert.equal(session.priceOf(/** @type {any} */ (TEA)).amount, 450);
  session.open("t2");
  assert.equal(session.priceOf(/** @type {any} */ (TEA)).amount, 400);
  assert.equal(terminal.settings.getSnapshot().place, "t2");
  terminal.resources.dining_table.set([table]);
  assert.equal(session.place, COUNTER);
  context.mock.timers.reset();
});

test("the rules that count for everything are those of the place, but not of one category", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const always = { ...RULE, time_from: null, time_to: null, is_stackable: true };
  const price_rule = [
    { ...always, id: "a", name: "Sunday", priority: 2 },
    { ...always, id: "b", name: "Service", scope: "zone", zone: "terrace", priority: 1 },
    { ...always, id: "c", name: "Drinks", scope: "category", category: "drinks" },
    { ...always, id: "d", name: "Worse", is_stackable: false },
    { ...always, id: "e", name: "Better", is_stackable: false, scope: "zone", zone: "hall" },
  ];
  const dining_table = [
    { id: "t1", zone: "terrace" },
    { id: "t2", zone: "hall" },
  ];
  const session = new Session(aTerminal({ dining_table, price_rule }));
  const names = () => [...session.forAll.values()];

  assert.deepEqual(names(), ["Worse", "Sunday"]);
  session.open("t1");
  assert.deepEqual(names(), ["Worse", "Sunday", "Service"]);
  session.open("t2");
  assert.deepEqual(names(), ["Better", "Sunday"]);
  assert.deepEqual(
    session.priceOf(/** @type {any} */ (TEA)).rules.map(({ name }) => name),
    ["Better", "Sunday", "Drinks"],
  );
  context.mock.timers.reset();
});

test("lists: all, a category, favourites, what was used last; a search looks into all of it", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const cake = { ...TEA, id: "cake", name: "Cake", category: "food", tags: [] };
  const gone = { ...TEA, id: "gone", name: "Gone", is_active: false };
  const category = [
    { id: "drinks", name: "Drinks" },
    { id: "food", name: "Food" },
  ];
  const tag = [{ id: "vegan", name: "Vegan", kind: "diet" }];
  const session = new Session(aTerminal({ product: [TEA, cake, gone], category, tag, favourites: ["gone", "cake"] }));
  session.read();

  assert.deepEqual(found(session), ["tea", "cake"]);
  session.look("food");
  assert.deepEqual(found(session), ["cake"]);
  session.look(FAVOURITES);
  assert.deepEqual(found(session), ["cake"]);
  session.search("vegan");
  assert.deepEqual(found(session), ["tea"]);
  session.look(ALL);
  session.filter(["vegan"], []);
  assert.deepEqual(found(session), ["tea"]);
  session.filter([], ["vegan"]);
  assert.deepEqual(found(session), ["cake"]);
  session.filter([], []);
  for (const product of [TEA, cake, TEA]) {
    await session.add(/** @type {any} */ (session.offerOf({ product: /** @type {any} */ (product) })));
  }
  session.look(RECENTLY);
  assert.deepEqual(found(session), ["tea", "cake"]);
  assert.deepEqual(
    session.ticket.lines.map((line) => [line.product, line.quantity]),
    [
      ["tea", 2],
      ["cake", 1],
    ],
  );
  context.mock.timers.reset();
});
