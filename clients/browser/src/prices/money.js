// Money as integers of minor units (hundredths), weights as integers of thousandths of their unit. Pure.

/** The largest amount, either way: thirteen digits before the point. What is larger is no amount. */
export const LARGEST = 999_999_999_999_999;

const MONEY = /^(-?)([0-9]{1,13})(?:\.([0-9]{1,2}))?$/;
const TYPED_MONEY = /^([0-9]{1,8})(?:[.,]([0-9]{0,2}))?$/;
const TYPED_WEIGHT = /^([0-9]{1,6})(?:[.,]([0-9]{0,3}))?$/;

/**
 * The minor units of an amount as the server writes it: `"12.50"` is 1250. Null for whatever is no such text.
 *
 * @param {unknown} text
 * @returns {number | null}
 */
export function minorUnits(text) {
  const found = typeof text === "string" ? MONEY.exec(text) : null;
  if (!found) return null;
  const units = Number(found[2]) * 100 + Number((found[3] ?? "").padEnd(2, "0"));
  return found[1] && units ? -units : units;
}

/**
 * An amount as the server writes it: 1250 is `"12.50"`.
 *
 * @param {number} units
 * @returns {string}
 */
export function decimalText(units) {
  const digits = String(Math.abs(units)).padStart(3, "0");
  return `${units < 0 ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/**
 * The minor units of an open price as a person types it, with a point or a comma: `"4,5"` is 450. Null when it is none.
 *
 * @param {string} text
 * @returns {number | null}
 */
export function typedMoney(text) {
  const found = TYPED_MONEY.exec(text.trim());
  return found && Number(found[1]) * 100 + Number((found[2] ?? "").padEnd(2, "0"));
}

/**
 * The thousandths of a weight as a person types it: `"0,25"` is 250. Null when it is none, or nothing.
 *
 * @param {string} text
 * @returns {number | null}
 */
export function typedWeight(text) {
  const found = TYPED_WEIGHT.exec(text.trim());
  return (found && Number(found[1]) * 1000 + Number((found[2] ?? "").padEnd(3, "0"))) || null;
}

/**
 * amount × numerator ÷ denominator, rounded half away from zero. Null when that is larger than `LARGEST`.
 * By BigInt: the product of two amounts has more digits than a double.
 *
 * @param {number} amount
 * @param {number} numerator
 * @param {number} denominator above zero
 * @returns {number | null}
 */
export function scaled(amount, numerator, denominator) {
  const product = BigInt(amount) * BigInt(numerator);
  const size = product < 0n ? -product : product;
  const rounded = Number((2n * size + BigInt(denominator)) / (2n * BigInt(denominator)));
  return within(product < 0n && rounded ? -rounded : rounded);
}

/**
 * The amount itself; null when it is larger than `LARGEST`.
 *
 * @param {number} amount
 * @returns {number | null}
 */
export function within(amount) {
  return Math.abs(amount) <= LARGEST ? amount : null;
}
