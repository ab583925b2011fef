// docs/prices.md, by the cases that every implementation is held against.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { parse } from "yaml";
import { play, whole } from "./player.js";

const { given, cases } = parse(
  readFileSync(new URL("../../../../tests/contracts/prices.yaml", import.meta.url), "utf8"),
);

for (const { name, ...asked } of cases) {
  test(name, () => {
    const came = play(whole(given, asked));
    const names = Object.keys(came).filter((key) => key in asked);
    assert.ok(names.length, "a case expects something");
    for (const key of names) assert.deepEqual(came[key], asked[key], key);
  });
}
