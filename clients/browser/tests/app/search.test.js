import assert from "node:assert/strict";
import { test } from "node:test";
import { SearchIndex, suits } from "../../app/parts/search.js";

const PRODUCTS = [
  {
    id: "latte",
    name: "Caffè Latte",
    short_name: "Latte",
    kitchen_name: "LATTE LG",
    sku: "COF-01",
    barcode: "4006381333931",
    tags: ["hot"],
  },
  { id: "tea", name: "Green Tea", short_name: "", kitchen_name: "", sku: "TEA-1", barcode: "", tags: ["hot"] },
  { id: "teacake", name: "Teacake", short_name: "", kitchen_name: "", sku: "1", barcode: "", tags: [] },
  { id: "noodles", name: "宫保鸡丁面", short_name: "鸡丁面", kitchen_name: "", sku: "11", barcode: "", tags: ["nuts"] },
  { id: "bare", name: "Bare" },
];

function found(/** @type {string} */ query, products = PRODUCTS) {
  const index = new SearchIndex();
  index.takeTags([
    { id: "hot", name: "Heiß" },
    { id: "nuts", name: "Nuts" },
  ]);
  return index.search(
    query,
    products,
    products.map((product) => product.id),
  );
}

for (const [query, ids] of /** @type {[string, string[]][]} */ ([
  ["caffe", ["latte"]],
  ["LATTE caffè", ["latte"]],
  ["lg", ["latte"]],
  ["cof-01", ["latte"]],
  ["heiß tea", ["tea"]],
  ["鸡丁", ["noodles"]],
  ["ｌａｔｔｅ", ["latte"]],
  ["tea", ["teacake", "tea"]],
  ["nuts", ["noodles"]],
  ["green cake", []],
  ["   ", []],
])) {
  test(`“${query}” finds ${ids.join(", ") || "nothing"}`, () => assert.deepEqual(found(query).ids, ids));
}

test("an exact number comes first, and only it is exact", () => {
  assert.deepEqual(found("1"), { ids: ["teacake", "latte", "tea", "noodles"], exact: "teacake" });
  assert.equal(found("4006 3813 33931").exact, "latte");
  assert.equal(found("400638133393").exact, null);
});

test("a number that two products have is exact for none", () => {
  const twins = [
    { id: "one", name: "One", sku: "7" },
    { id: "two", name: "Two", barcode: "7" },
  ];
  assert.deepEqual(found("7", twins), { ids: ["one", "two"], exact: null });
});

test("a product that changed is read again, and a tag's new name counts", () => {
  const index = new SearchIndex();
  index.takeTags([{ id: "hot", name: "Hot" }]);
  index.search("x", PRODUCTS, ["tea"]);
  const renamed = PRODUCTS.map((product) => (product.id === "tea" ? { ...product, name: "Sencha" } : product));
  assert.deepEqual(index.search("sencha hot", renamed, ["tea"]).ids, ["tea"]);
  index.takeTags([{ id: "hot", name: "Steaming" }]);
  assert.deepEqual(index.search("steaming", renamed, ["tea"]).ids, ["tea"]);
});

test("reading stops when its time is over, and goes on later", () => {
  const many = Array.from({ length: 250 }, (_, at) => ({ id: `p${at}`, name: `Product ${at}` }));
  const index = new SearchIndex();
  assert.equal(
    index.read(many, () => true),
    false,
  );
  assert.equal(
    index.read(many, () => false),
    true,
  );
});

test("filters: all diets, none of the allergens", () => {
  const dish = { tags: ["vegan", "gluten"] };
  assert.ok(suits(dish, new Set(["vegan"]), new Set(["nuts"])));
  assert.ok(!suits(dish, new Set(["vegan", "kosher"]), new Set()));
  assert.ok(!suits(dish, new Set(), new Set(["gluten"])));
  assert.ok(suits({}, new Set(), new Set(["gluten"])));
});

test("what is found, and in which order, is what looking at each product by itself finds", () => {
  const signs = ["a", "b", " ", "1"];
  const some = (/** @type {number} */ n) =>
    Array.from({ length: Math.floor(Math.random() * n) }, () => signs[Math.floor(Math.random() * signs.length)]).join(
      "",
    );
  const products = Array.from({ length: 60 }, (_, n) => ({
    id: `${n}`,
    name: some(7),
    short_name: some(4),
    sku: some(3),
    tags: [],
  }));
  const order = products.map(({ id }) => id);
  const index = new SearchIndex();
  index.takeTags([]);
  const rank = (/** @type {typeof products[number]} */ { name, short_name, sku }, /** @type {string[]} */ words) => {
    const texts = [name, short_name, sku.replaceAll(" ", "")];
    if (!words.every((word) => texts.some((text) => text.includes(word)))) return null;
    if (words.join("") === texts[2]) return 0;
    if (name.startsWith(words.join(" "))) return 1;
    return words.every((word) => name.startsWith(word) || name.includes(` ${word}`)) ? 2 : 3;
  };
  for (let round = 0; round < 300; round += 1) {
    const query = some(6);
    const words = query.split(" ").filter(Boolean);
    const wanted = [0, 1, 2, 3].flatMap((one) => products.filter((product) => rank(product, words) === one));
    const { ids } = index.search(query, products, order);
    assert.deepEqual(ids, words.length ? wanted.map(({ id }) => id) : [], JSON.stringify({ query, products }));
  }
});
