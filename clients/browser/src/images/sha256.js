// The SHA-256 by which pictures are named: by the browser where it offers one, which over plain http it doesn't.

const subtle = globalThis.crypto?.subtle;
const computed = subtle ? null : (await import("../../vendor/noble-hashes.js")).sha256;

const HASH = /^[0-9a-f]{64}$/;

/**
 * @param {unknown} value
 * @returns {value is string} whether it can be the name of a picture
 */
export function isHash(value) {
  return typeof value === "string" && HASH.test(value);
}

/**
 * @param {ArrayBuffer} bytes
 * @returns {Promise<string>} 64 hexadecimal digits in lower case
 */
export async function sha256(bytes) {
  const digest = computed ? computed(new Uint8Array(bytes)) : new Uint8Array(await subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
