import assert from "node:assert/strict";
import { test } from "node:test";
import { Changes, differences } from "../../app/parts/changes.js";

const TEA = /** @type {any} */ ({
  id: "tea",
  name: "Tea",
  price: "3.80",
  image: null,
  is_sold_out: false,
  is_active: true,
});

for (const [name, before, after, expected] of /** @type {[string, any, any, any[]][]} */ ([
  ["new", null, TEA, [{ what: "new" }]],
  ["gone", TEA, null, [{ what: "gone" }]],
  ["taken off the menu", TEA, { ...TEA, is_active: false }, [{ what: "gone" }]],
  ["deleted while off the menu", { ...TEA, is_active: false }, null, []],
  ["a price", TEA, { ...TEA, price: "4.20" }, [{ what: "price", from: "3.80", to: "4.20" }]],
  [
    "sold out under a new name",
    TEA,
    { ...TEA, name: "Chai", is_sold_out: true },
    [{ what: "sold-out" }, { what: "name", from: "Tea", to: "Chai" }],
  ],
  [
    "back, with a picture",
    { ...TEA, is_sold_out: true },
    { ...TEA, image: "a" },
    [{ what: "back" }, { what: "picture" }],
  ],
  ["the same, written again", TEA, { ...TEA, updated_at: "later" }, []],
  ["something else", TEA, { ...TEA, description: "hot" }, [{ what: "other" }]],
])) {
  test(name, () => assert.deepEqual(differences(before, after), expected));
}

test("keeps the newest hundred, tells what came, and forgets its marks", (context) => {
  context.mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
  /** @type {(updates: any[]) => void} */
  let update = () => {};
  const changes = new Changes(
    /** @type {any} */ ({
      now: () => 5,
      resources: { product: { size: 400 } },
      onUpdates: (/** @type {any} */ fn) => {
        update = fn;
        return () => {};
      },
    }),
  );
  const heard = /** @type {string[][]} */ ([]);
  changes.subscribe((fresh) => heard.push(fresh.map((one) => one.product)));
  const empty = changes.getSnapshot();
  update([
    { resource: "tag", id: "t", before: null, data: {} },
    { resource: "product", id: "tea", before: null, data: TEA },
  ]);
  update(
    Array.from({ length: 150 }, (_, at) => ({
      resource: "product",
      id: `p${at}`,
      before: null,
      data: { ...TEA, id: `p${at}` },
    })),
  );
  assert.deepEqual(heard[0], ["tea"]);
  assert.notEqual(changes.getSnapshot(), empty);
  assert.equal(changes.getSnapshot().length, 100);
  assert.equal(changes.getSnapshot()[0].product, "p149");
  assert.equal(changes.markedFor("tea"), 2000);
  context.mock.timers.tick(2000);
  assert.equal(changes.markedFor("tea"), 0);
});

test("what comes first, into an empty copy, isn't news", () => {
  const product = { size: 0 };
  /** @type {(updates: any[]) => void} */
  let update = () => {};
  const onUpdates = (/** @type {any} */ fn) => {
    update = fn;
    return () => {};
  };
  const changes = new Changes(/** @type {any} */ ({ now: () => 5, resources: { product }, onUpdates }));
  const created = (/** @type {string} */ id) => ({
    resource: "product",
    action: "created",
    id,
    before: null,
    data: { ...TEA, id },
  });

  product.size = 2;
  update([created("one"), created("two")]);
  product.size = 3;
  update([created("three")]);

  assert.deepEqual(
    changes.getSnapshot().map((one) => one.product),
    ["three"],
  );
});
