import assert from "node:assert/strict";
import test from "node:test";
import { decimalText, LARGEST, minorUnits, scaled, typedMoney, typedWeight } from "../../src/prices/money.js";

test("money of the wire becomes minor units", () => {
  const cases = { "12.50": 1250, 0.05: 5, "-0.20": -20, 7: 700, 7.5: 750, 99999999.99: 9_999_999_999 };
  for (const [text, units] of Object.entries(cases)) assert.equal(minorUnits(text), units, text);
  assert.ok(Object.is(minorUnits("-0.00"), 0));
});

test("what is no money is none", () => {
  for (const text of [
    "",
    " 1.00",
    "1,00",
    "1.000",
    ".5",
    "1.",
    "+1.00",
    "1e2",
    "NaN",
    "٣.٠٠",
    null,
    undefined,
    12.5,
    [],
  ])
    assert.equal(minorUnits(text), null, String(text));
});

test("minor units become text with two digits", () => {
  const cases = { "12.50": 1250, 0.05: 5, "0.00": 0, "-0.20": -20, "-12.34": -1234 };
  for (const [text, units] of Object.entries(cases)) assert.equal(decimalText(units), text);
});

test("an open price is typed with a point or a comma", () => {
  const cases = { "4,5": 450, "4.50": 450, 12: 1200, " 0 ": 0, "4,": 400 };
  for (const [text, units] of Object.entries(cases)) assert.equal(typedMoney(text), units, text);
  for (const text of ["", "-1", "1.234", "1 000", "abc", "123456789"]) assert.equal(typedMoney(text), null, text);
});

test("a weight is typed with up to three digits behind the point, and is never nothing", () => {
  const cases = { "0,25": 250, 2: 2000, 0.005: 5 };
  for (const [text, weight] of Object.entries(cases)) assert.equal(typedWeight(text), weight, text);
  for (const text of ["", "0", "0,000", "-1", "1.2345", "abc"]) assert.equal(typedWeight(text), null, text);
});

test("halves are rounded away from zero, on both sides of it", () => {
  assert.equal(scaled(5, 1, 2), 3);
  assert.equal(scaled(-5, 1, 2), -3);
  assert.equal(scaled(4, 1, 10), 0);
  assert.ok(Object.is(scaled(-4, 1, 10), 0));
});

test("what is larger than any amount is none", () => {
  assert.equal(scaled(LARGEST, 1, 1), LARGEST);
  assert.equal(scaled(LARGEST, 2, 1), null);
  assert.equal(scaled(-LARGEST, 2, 1), null);
});
