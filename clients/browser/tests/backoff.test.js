import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../src/backoff.js";
import { Clock } from "../src/clock.js";

test("pauses are random up to 0.8 s, doubled up to 30 s, and begin again after two good minutes", () => {
  const most = new Backoff(() => 1);
  const pauses = Array.from({ length: 8 }, () => most.failed());
  assert.deepEqual(pauses, [800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
  assert.equal(most.failed({ connectedFor: 119_999 }), 30_000);
  assert.equal(most.failed({ connectedFor: 120_000 }), 800);
  assert.equal(new Backoff(() => 0).failed(), 0);
});

test("what the server asked for is the least", () => {
  assert.equal(new Backoff(() => 0).failed({ retryAfter: 7 }), 7000);
  assert.equal(new Backoff(() => 1).failed({ retryAfter: 7 }), 7800);
  assert.equal(new Backoff(() => 0).ended({ connectedFor: 1, retry: 1500 }), 1500);
  assert.equal(new Backoff(() => 1).ended({ connectedFor: 1, retry: 1e9 }), 37_500);
});

test("the server's clock counts when ours is more than two minutes off, and is kept", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 1_000_000_000 });
  const kept = [];
  const clock = new Clock(0, (offset) => kept.push(offset));
  clock.look(1_000_000_000 + 119_000);
  assert.equal(clock.now(), 1_000_000_000);
  clock.look(1_000_000_000 + 3_600_000);
  assert.equal(clock.now(), 1_003_600_000);
  clock.look(1_000_000_000 + 3_601_000); // a second more or less isn't worth a write
  assert.deepEqual(kept, [119_000, 3_600_000]);
  assert.equal(new Clock(-7_200_000).now(), 992_800_000);
  assert.equal(new Clock(/** @type {any} */ (undefined)).now(), 1_000_000_000);
});
