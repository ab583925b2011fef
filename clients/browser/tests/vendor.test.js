import assert from "node:assert/strict";
import { test } from "node:test";
import { createParser } from "../vendor/eventsource-parser.js";
import { openDB } from "../vendor/idb.js";
import { sha256 } from "../vendor/noble-hashes.js";

test("the vendored SHA-256 is SHA-256", () => {
  const digest = Buffer.from(sha256(new TextEncoder().encode("abc"))).toString("hex");
  assert.equal(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test("the vendored parser reads a stream in pieces", () => {
  const events = [];
  const parser = createParser({ onEvent: (event) => events.push([event.event, event.data]) });
  for (const piece of ["event: cut\nda", "ta: {}\n", "\n"]) parser.feed(piece);
  assert.deepEqual(events, [["cut", "{}"]]);
});

test("the vendored modules load without a browser", () => {
  assert.equal(typeof openDB, "function");
});
