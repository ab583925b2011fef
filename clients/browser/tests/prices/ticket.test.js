import assert from "node:assert/strict";
import test from "node:test";
import { toggled } from "../../src/prices/options.js";
import { isKnownZone, momentAt, Prices } from "../../src/prices/price.js";
import {
  COUNTER,
  emptyTicket,
  LARGEST_QUANTITY,
  offerOf,
  todayOf,
  withLineBack,
  withLineTold,
  withMore,
  withMoved,
  withNote,
  withOffer,
  withoutLine,
} from "../../src/prices/ticket.js";

const AT = Date.parse("2026-11-30T12:00:00Z");
const TABLE = { id: "t1", name: "T1", zone: "terrace" };
const RULE = { id: "r", name: "Terrace", adjustment: "amount", value: "1.00", scope: "zone", zone: "terrace" };
const COMMON = { weekdays: [], time_from: null, time_to: null, valid_from: null, valid_to: null, priority: 0 };

const product = (more = {}) => ({ id: "p", name: "Soup", price: "4.00", price_type: "fixed", unit: "", ...more });
const option = (id, more = {}) => ({ id, name: id, price_change: "0.50", is_sold_out: false, position: 0, ...more });
const group = (options, more = {}) => ({
  id: "g",
  name: "g",
  choice: "many",
  min: 0,
  max: null,
  free: 0,
  options,
  ...more,
});
const pricesAt = (at = AT, rules = [{ ...RULE, ...COMMON, is_active: true }]) =>
  new Prices({ rules, categories: new Map(), moment: momentAt(at, "UTC") });
const told = (more = {}) => offerOf({ product: product(), prices: pricesAt(), at: AT, ...more });

test("a ticket begins empty, at a table or at the counter", () => {
  assert.deepEqual(emptyTicket(), {
    id: COUNTER,
    table: null,
    table_name: "",
    zone: null,
    lines: [],
    total: 0,
    since: null,
  });
  const { id, table, table_name, zone } = emptyTicket(TABLE);
  assert.deepEqual([id, table, table_name, zone], ["t1", "t1", "T1", "terrace"]);
});

test("a line keeps what the guest was told", () => {
  const groups = [group([option("o")])];
  const offer = told({ zone: "terrace", groups, chosen: ["o"] });
  const ticket = withOffer(emptyTicket(TABLE), offer, { id: "1", quantity: 2, note: "no salt" });
  assert.deepEqual(ticket.lines, [
    {
      id: "1",
      product: "p",
      name: "Soup",
      price_type: "fixed",
      unit: "",
      weight: null,
      base: 400,
      price: 500,
      rules: [{ id: "r", name: "Terrace" }],
      options: [{ id: "o", name: "o", amount: 50 }],
      at: AT,
      quantity: 2,
      note: "no salt",
      total: 1100,
    },
  ]);
  assert.deepEqual([ticket.total, ticket.since], [1100, AT]);
});

test("the same once more joins its line; another price, option, note or weight is a line of its own", () => {
  let ticket = withOffer(emptyTicket(), told(), { id: "1" });
  ticket = withOffer(ticket, told({ at: AT + 5000 }), { id: "2" });
  assert.deepEqual(
    ticket.lines.map((line) => [line.id, line.quantity]),
    [["1", 2]],
  );
  ticket = withOffer(ticket, told({ product: product({ price: "4.20" }) }), { id: "3" });
  ticket = withOffer(ticket, told({ groups: [group([option("o")])], chosen: ["o"] }), { id: "4" });
  ticket = withOffer(ticket, told(), { id: "5", note: "hot" });
  const byWeight = told({ product: product({ price_type: "weight", unit: "kg" }), weight: 250 });
  ticket = withOffer(withOffer(ticket, byWeight, { id: "6" }), byWeight, { id: "7" });
  assert.deepEqual(
    ticket.lines.map((line) => line.id),
    ["1", "3", "4", "5", "6", "7"],
  );
  assert.equal(ticket.total, 800 + 420 + 450 + 400 + 100 + 100);
});

test("the same change twice is done once", () => {
  const once = withOffer(emptyTicket(), told(), { id: "1", note: "hot" });
  assert.equal(withOffer(once, told(), { id: "1", note: "hot" }), once);
});

test("steps go up and down, and a line at none goes", () => {
  let ticket = withOffer(emptyTicket(), told(), { id: "1" });
  ticket = withMore(ticket, "1", 2);
  assert.deepEqual([ticket.lines[0].quantity, ticket.total], [3, 1200]);
  assert.equal(withMore(ticket, "1", LARGEST_QUANTITY).lines[0].quantity, LARGEST_QUANTITY);
  assert.deepEqual(withMore(ticket, "1", -3), { ...emptyTicket() });
  assert.equal(withMore(ticket, "gone", 1), ticket);
});

test("a removed line comes back where it was, once", () => {
  let ticket = emptyTicket();
  for (const id of ["1", "2", "3"]) ticket = withOffer(ticket, told(), { id, note: id });
  const back = withLineBack(withoutLine(ticket, "2"), ticket.lines[1], 1);
  assert.deepEqual(back, ticket);
  assert.equal(withLineBack(back, ticket.lines[1], 1), back);
});

test("a note is kept, and cut where it is too long", () => {
  const ticket = withOffer(emptyTicket(), told(), { id: "1" });
  assert.equal(withNote(ticket, "1", "x".repeat(900)).lines[0].note.length, 500);
});

test("another price today is offered and changes nothing by itself", () => {
  const ticket = withOffer(emptyTicket(TABLE), told({ zone: "terrace" }), { id: "1", quantity: 2, note: "hot" });
  const [line] = ticket.lines;
  const today = (more) =>
    todayOf(line, { product: product(), prices: pricesAt(), zone: "terrace", at: AT + 60_000, ...more });
  assert.equal(today(), null);
  const { gone, offer } = today({ product: product({ price: "4.40" }) });
  assert.deepEqual([gone, offer.price, line.price], [false, 540, 500]);
  const anew = withLineTold(ticket, "1", offer);
  assert.deepEqual([anew.total, anew.lines[0].note, anew.lines[0].quantity], [1080, "hot", 2]);
  assert.equal(
    todayOf(anew.lines[0], { product: product({ price: "4.40" }), prices: pricesAt(), zone: "terrace", at: AT }),
    null,
  );
});

test("at a table of another zone another price is offered", () => {
  const [line] = withOffer(emptyTicket(), told(), { id: "1" }).lines;
  assert.equal(todayOf(line, { product: product(), prices: pricesAt(), zone: "terrace", at: AT }).offer.price, 500);
});

test("a line outlives its product and its options, and says so", () => {
  const groups = [group([option("o")])];
  const [line] = withOffer(emptyTicket(), told({ groups, chosen: ["o"] }), { id: "1" }).lines;
  const today = (more) => todayOf(line, { product: product(), prices: pricesAt(), groups, at: AT, ...more });
  assert.equal(today(), null);
  for (const more of [{ product: undefined }, { product: product({ is_active: false }) }, { groups: [] }])
    assert.deepEqual(today(more), { gone: true, offer: null });
  assert.deepEqual(today({ product: product({ price: "?" }) }), { gone: true, offer: null });
});

test("an open price isn't another one because the proposal changed", () => {
  const open = product({ price_type: "open" });
  const [line] = withOffer(emptyTicket(), told({ product: open, typed: 1230 }), { id: "1" }).lines;
  assert.deepEqual([line.base, line.price], [1230, 1230]);
  assert.equal(todayOf(line, { product: { ...open, price: "9.00" }, prices: pricesAt(), at: AT }), null);
});

test("a ticket moves to a table with all of its lines, twice as once", () => {
  const moved = withOffer(emptyTicket(), told({ at: AT - 1000 }), { id: "1" });
  const there = withOffer(emptyTicket(TABLE), told(), { id: "2" });
  const both = withMoved(there, moved);
  assert.deepEqual([both.id, both.total, both.since, both.lines.length], ["t1", 800, AT - 1000, 2]);
  assert.deepEqual(withMoved(both, moved), both);
});

test("a tap chooses, replaces in a group of one, and takes away", () => {
  const one = group([option("o"), option("p"), option("q", { is_sold_out: true })], { choice: "one" });
  assert.deepEqual(toggled(one, ["x"], "o"), ["x", "o"]);
  assert.deepEqual(toggled(one, ["o", "x"], "p"), ["x", "p"]);
  assert.deepEqual(toggled(one, ["o"], "o"), []);
  assert.deepEqual(toggled({ ...one, is_required: true }, ["o"], "o"), ["o"]);
  assert.deepEqual(toggled(one, ["o"], "q"), ["o"]);
  const many = group([option("o"), option("p"), option("q")], { max: 2 });
  assert.deepEqual(toggled(many, ["o"], "p"), ["o", "p"]);
  assert.deepEqual(toggled(many, ["o", "p"], "q"), ["o", "p"]);
  assert.deepEqual(toggled(many, ["o", "p"], "o"), ["p"]);
});

test("prices are the same as long as the same rules count", () => {
  const hour = { ...RULE, ...COMMON, scope: "all", is_active: true, time_from: "12:00:00", time_to: "13:00:00" };
  const key = (at) => pricesAt(at, [hour]).key;
  assert.equal(key(AT), key(AT + 59 * 60_000));
  assert.notEqual(key(AT), key(AT + 60 * 60_000));
});

test("a zone that the browser doesn't know is told", () => {
  assert.deepEqual(["Europe/Madrid", "UTC", "Mars/Olympus_Mons", ""].map(isKnownZone), [true, true, false, false]);
});
