import assert from "node:assert/strict";
import { test } from "node:test";
import { Catalogue, menuTree } from "../../app/parts/catalogue.js";

const byId = (/** @type {any[]} */ rows) => new Map(rows.map((row) => [row.id, row]));
const category = (/** @type {string} */ id, more = {}) => ({
  id,
  name: id,
  position: 0,
  parent: null,
  is_active: true,
  ...more,
});
const product = (/** @type {string} */ id, more = {}) => ({
  id,
  name: id,
  position: 0,
  category: "a",
  is_active: true,
  ...more,
});
const shape = (/** @type {any[]} */ categories) =>
  menuTree(byId(categories)).map(({ id, depth }) => `${"-".repeat(depth)}${id}`);
const ids = (/** @type {Catalogue} */ catalogue, category = /** @type {string | null} */ (null)) =>
  catalogue.sections(category).map((section) => [section.id, ...section.items].join(" "));

test("categories follow their parents, by position and then by name", () => {
  const rows = [
    category("wine", { parent: "drinks" }),
    category("beer", { parent: "drinks" }),
    category("food", { position: 2 }),
  ];
  assert.deepEqual(shape([...rows, category("drinks", { position: 1 })]), ["drinks", "-beer", "-wine", "food"]);
});

test("a category whose parent is missing stands at the top", () => {
  assert.deepEqual(shape([category("a", { parent: "nowhere" }), category("b", { parent: "a" })]), ["a", "-b"]);
});

test("a category that is its own ancestor stands at the top, and what is below it stays below it", () => {
  const circle = [category("a", { parent: "c" }), category("b", { parent: "a" }), category("c", { parent: "b" })];
  assert.deepEqual(shape([...circle, category("d", { parent: "b" }), category("e", { parent: "e" })]), [
    "a",
    "b",
    "-d",
    "c",
    "e",
  ]);
});

test("an inactive category takes with it what lies below", () => {
  const rows = [
    category("a", { is_active: false }),
    category("b", { parent: "a" }),
    category("c", { parent: "b" }),
    category("d"),
  ];
  assert.deepEqual(shape(rows), ["d"]);
});

test("five thousand categories, each below the one before, make a menu", () => {
  const rows = Array.from({ length: 5000 }, (_, at) => category(`c${at}`, { parent: at ? `c${at - 1}` : null }));
  assert.equal(menuTree(byId(rows)).at(-1)?.depth, 4999);
});

test("a category shows its own products first, then those of the categories below it", () => {
  const catalogue = new Catalogue();
  catalogue.takeCategories([category("a"), category("b", { parent: "a" }), category("z")]);
  catalogue.takeProducts([
    product("p10"),
    product("p9"),
    product("p1", { position: 1 }),
    product("q", { category: "b" }),
    product("r", { category: "z" }),
  ]);
  assert.deepEqual(ids(catalogue, "a"), ["a p9 p10 p1", "b q"]);
  assert.deepEqual(ids(catalogue), ["a p9 p10 p1", "b q", "z r"]);
});

test("inactive products and those of a hidden category aren't shown, those of a missing category are", () => {
  const catalogue = new Catalogue();
  catalogue.takeCategories([category("a"), category("b", { is_active: false })]);
  const rows = [
    product("off", { is_active: false }),
    product("hidden", { category: "b" }),
    product("lost", { category: "nowhere" }),
  ];
  catalogue.takeProducts(rows);
  assert.deepEqual(ids(catalogue), [" lost"]);
  assert.deepEqual(
    rows.map((row) => catalogue.isShown(row)),
    [false, false, true],
  );
});

test("a new price leaves the menu's version, a new name and a deletion raise it", () => {
  const catalogue = new Catalogue();
  catalogue.takeCategories([category("a")]);
  const [one, other] = [product("one"), product("other")];
  catalogue.takeProducts([one, other]);
  const before = catalogue.version;
  catalogue.takeProducts([{ ...one, price: "2.00" }, other]);
  assert.equal(catalogue.version, before);
  catalogue.takeProducts([{ ...one, name: "zone" }, other]);
  assert.notEqual(catalogue.version, before);
  assert.deepEqual(ids(catalogue), ["a other one"]);
  catalogue.takeProducts([other]);
  assert.deepEqual(ids(catalogue), ["a other"]);
});

test("a product that moves leaves its category, also when it comes at the same time as another goes", () => {
  const catalogue = new Catalogue();
  catalogue.takeCategories([category("a"), category("b")]);
  catalogue.takeProducts([product("one"), product("two")]);
  catalogue.takeProducts([product("one", { category: "b" }), product("three")]);
  assert.deepEqual(ids(catalogue), ["a three", "b one"]);
});
