import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsIn, layRows, rowsBetween } from "../../app/parts/layout.js";
import { layPlan } from "../../app/parts/plan.js";

const MEASURES = { columns: 3, card: 100, heading: 40, gap: 10 };
const section = (/** @type {string} */ id, /** @type {number} */ count) => ({
  id,
  name: id,
  depth: 0,
  items: Array.from({ length: count }, (_, at) => `${id}${at}`),
});

test("rows of cards below their headings, each with its place", () => {
  const { rows, height } = layRows([section("a", 4), section("b", 1)], MEASURES);
  assert.deepEqual(
    rows.map((row) => [row.top, row.height, row.heading?.id ?? row.items.join(" ")]),
    [
      [0, 40, "a"],
      [50, 100, "a0 a1 a2"],
      [160, 100, "a3"],
      [270, 40, "b"],
      [320, 100, "b0"],
    ],
  );
  assert.equal(height, 420);
});

test("a list of one section has no heading, an empty one no rows", () => {
  assert.equal(layRows([section("a", 2)], MEASURES).rows[0].heading, null);
  assert.deepEqual(layRows([], MEASURES), { rows: [], height: 0 });
});

test("only the rows near the view", () => {
  const { rows } = layRows([section("a", 30_000)], MEASURES);
  assert.deepEqual(rowsBetween(rows, 0, 250), [0, 3]);
  assert.deepEqual(rowsBetween(rows, 500_000, 500_100), [4545, 4547]);
  assert.deepEqual(rowsBetween(rows, 9e9, 9e9), [10_000, 10_000]);
});

test("as many columns as fit, at least one", () => {
  assert.equal(columnsIn(366, 108, 10), 3);
  assert.equal(columnsIn(20, 108, 10), 1);
  assert.equal(columnsIn(Number.NaN, 108, 10), 1);
});

const table = (more = {}) => ({
  id: "t",
  x: 0,
  y: 0,
  width: 100,
  height: 50,
  rotation: 0,
  shape: "rectangle",
  ...more,
});

test("tables stand to scale", () => {
  const { tables, width, height, scale } = layPlan([table(), table({ id: "u", x: 300, y: 150 })], {
    width: 424,
    margin: 12,
  });
  assert.equal(scale, 1);
  assert.deepEqual(
    tables.map(({ left, top }) => [left, top]),
    [
      [12, 12],
      [312, 162],
    ],
  );
  assert.deepEqual([width, height], [424, 224]);
});

test("a plan that would be higher than its view is drawn smaller, and in the middle", () => {
  const { tables, width, height, scale } = layPlan([table({ width: 800, height: 800 })], { width: 1000, height: 424 });
  assert.equal(scale, 0.5);
  assert.deepEqual([width, height], [1000, 424]);
  assert.equal(tables[0].left, 300);
});

test("negative places count from the outermost table", () => {
  const [first] = layPlan([table({ x: -500, y: -40 }), table({ id: "u", x: -300, y: 20 })], { width: 324 }).tables;
  assert.deepEqual([first.left, first.top], [12, 12]);
});

test("a rotation of 725 degrees is one of 5, and a turned table has room", () => {
  assert.equal(layPlan([table({ rotation: 725 })], { width: 400 }).tables[0].rotation, 5);
  const upright = layPlan([table({ rotation: -90, width: 200, height: 100 })], { width: 124 });
  assert.deepEqual([upright.width, upright.height], [124, 224]);
});

test("a table is never smaller than a finger", () => {
  const far = [table({ width: 10, height: 10 }), table({ id: "far", x: 1_000_000 })];
  const { tables, width } = layPlan(far, { width: 390 });
  assert.ok(tables.every((one) => one.width >= 48 && one.height >= 48));
  assert.ok(width <= 390 * 7);
});

test("a plan that is high, wide, or without sense has numbers only", () => {
  const odd = [
    [table({ y: 5e5 }), table({ id: "u" })],
    [table({ x: 1e308, y: -1e308 }), table({ id: "u", width: 0, height: -3 })],
    [table({ x: "left", y: null, width: Number.NaN, rotation: "x", shape: "star" })],
  ];
  for (const tables of odd) {
    const plan = layPlan(/** @type {any} */ (tables), { width: 390 });
    for (const one of plan.tables)
      assert.ok(Object.values(one).every((value) => typeof value !== "number" || Number.isFinite(value)));
    assert.ok(plan.height > 0 && plan.height < 390 * 8);
  }
});

test("no tables make an empty plan", () => assert.deepEqual(layPlan([], { width: 390 }).tables, []));
