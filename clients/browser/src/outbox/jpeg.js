// What a JPEG file consists of, and the normal form in which pictures are kept: as `normalform` has it in Python. Pure.
//
// The server keeps what is in normal form byte for byte, so its hash is final where it was made.

import { PictureRefused } from "../errors.js";

/** @typedef {{marker: number, start: number, body: Uint8Array, end: number}} Segment  `end`: where the next one begins */
/** @typedef {{width: number, height: number, components: number}} Frame */

export const LONGEST_EDGE = 1600; // pixels
export const LARGEST = 2 * 1024 * 1024; // bytes
const MOST_SCANS = 100;

const [SOI, EOI, SOS, DQT, DHT, DRI, APP0, SOF0, SOF2] = [0xd8, 0xd9, 0xda, 0xdb, 0xc4, 0xdd, 0xe0, 0xc0, 0xc2];
const NORMAL = new Set([APP0, DQT, SOF0, SOF2, DHT, DRI, SOS]);
const JFIF = [0x4a, 0x46, 0x49, 0x46, 0];
// Version 1.1, no unit, density 1 × 1, a thumbnail of 0 × 0 pixels.
const PLAIN_JFIF = [0xff, APP0, 0, 16, ...JFIF, 1, 1, 0, 0, 1, 0, 1, 0, 0];

/** The markers of a JPEG file don't follow each other as they should. */
export class Malformed extends PictureRefused {
  /** @param {string} message */
  constructor(message) {
    super("broken_image", message);
  }
}

/**
 * The segments between SOI and EOI, which is the last one (without a body). Throws Malformed.
 *
 * @param {Uint8Array} data
 * @returns {Generator<Segment>}
 */
export function* segments(data) {
  if (data[0] !== 0xff || data[1] !== SOI) throw new Malformed("no SOI");
  let at = 2;
  for (;;) {
    if (data.length < at + 2 || data[at] !== 0xff) throw new Malformed("no marker where one has to be");
    const [start, marker] = [at, /** @type {number} */ (data[at + 1])];
    if (marker === EOI) {
      yield { marker, start, body: data.subarray(at, at), end: at + 2 };
      return;
    }
    const length = number(data, at + 2);
    if (!(length >= 2) || at + 2 + length > data.length) throw new Malformed("a segment is longer than the file");
    const body = data.subarray(at + 4, at + 2 + length);
    at += 2 + length;
    if (marker === SOS) at = endOfScan(data, at);
    yield { marker, start, body, end: at };
  }
}

/**
 * The picture's measures. Throws Malformed at the first thing that normal form doesn't have: it is a baseline or
 * progressive JPEG, grey or YCbCr, longest edge ≤ 1600, ≤ 2 MiB, without metadata.
 *
 * @param {Uint8Array} data
 * @returns {Frame}
 */
export function normalFrame(data) {
  if (data.length > LARGEST) throw new Malformed("more than 2 MiB");
  /** @type {Frame | null} */
  let frame = null;
  let [hasJfif, scans, at, end, last] = [false, 0, 0, 0, 0];
  for (const segment of segments(data)) {
    const { marker, body } = segment;
    [end, last] = [segment.end, marker];
    if (marker === EOI) break;
    if (!NORMAL.has(marker)) throw new Malformed("a segment that normal form doesn't have");
    if (marker === APP0) {
      if (at || !isPlainJfif(body)) throw new Malformed("an APP0 that isn't one plain JFIF header in front");
      hasJfif = true;
    } else if (marker === SOF0 || marker === SOF2) {
      if (frame) throw new Malformed("two frames");
      frame = frameOf(body, hasJfif);
    } else if (marker === DQT) checkQuantization(body);
    else if (marker === DHT) checkHuffman(body);
    else if (marker === DRI && body.length !== 2) throw new Malformed("a DRI of another length");
    else if (marker === SOS) {
      scans += 1;
      if (!frame || scans > MOST_SCANS || body.length !== 4 + 2 * (body[0] ?? 0))
        throw new Malformed("a scan before the frame, of another length, or one too many");
    }
    at += 1;
  }
  if (last !== EOI || end !== data.length || !frame || !scans)
    throw new Malformed("no picture, or something behind its end");
  return frame;
}

/**
 * The same picture without metadata and with a plain JFIF header, as browsers encode one of a canvas. Throws Malformed.
 *
 * @param {Uint8Array} data
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function stripped(data) {
  const parts = [data.subarray(0, 2), Uint8Array.from(PLAIN_JFIF)];
  for (const { marker, start, end } of segments(data))
    if (marker === EOI || (NORMAL.has(marker) && marker !== APP0)) parts.push(data.subarray(start, end));
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * In entropy-coded data FF is followed by 00, or by a restart marker; anything else ends the scan.
 *
 * @param {Uint8Array} data
 * @param {number} from
 */
function endOfScan(data, from) {
  for (let at = data.indexOf(0xff, from); at >= 0 && at + 1 < data.length; at = data.indexOf(0xff, at + 1)) {
    const next = /** @type {number} */ (data[at + 1]);
    if (next !== 0 && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  throw new Malformed("a scan without end");
}

/** @param {Uint8Array} body */
function isPlainJfif(body) {
  return body.length === 14 && JFIF.every((byte, at) => body[at] === byte) && body[12] === 0 && body[13] === 0;
}

/**
 * @param {Uint8Array} body
 * @param {boolean} hasJfif
 * @returns {Frame}
 */
function frameOf(body, hasJfif) {
  const components = body[5] ?? 0;
  if (body.length < 6 || body[0] !== 8 || body.length !== 6 + 3 * components)
    throw new Malformed("a frame that isn't 8 bits deep");
  const [width, height] = [number(body, 3), number(body, 1)];
  // Without the JFIF header decoders guess the colours from the components' numbers.
  const isYCbCr = components === 3 && (hasJfif || (body[6] === 1 && body[9] === 2 && body[12] === 3));
  if (components !== 1 && !isYCbCr) throw new Malformed("neither grey nor YCbCr");
  if (!(width >= 1 && width <= LONGEST_EDGE && height >= 1 && height <= LONGEST_EDGE))
    throw new Malformed("too large, or without a height");
  return { width, height, components };
}

/** @param {Uint8Array} body */
function checkQuantization(body) {
  let at = 0;
  while (at < body.length) {
    const [precision, table] = nibbles(body[at]);
    at += 1 + 64 * (precision + 1);
    if (precision > 1 || table > 3) throw new Malformed("a quantization table that can't be");
  }
  if (at !== body.length || !body.length) throw new Malformed("a DQT of another length");
}

/** @param {Uint8Array} body */
function checkHuffman(body) {
  let at = 0;
  while (at + 17 <= body.length) {
    const [kind, table] = nibbles(body[at]);
    if (kind > 1 || table > 3) throw new Malformed("a Huffman table that can't be");
    at += 17 + body.subarray(at + 1, at + 17).reduce((sum, count) => sum + count, 0);
  }
  if (at !== body.length || !body.length) throw new Malformed("a DHT of another length");
}

/** @param {number | undefined} byte @returns {[number, number]} */
const nibbles = (byte = 0) => [byte >> 4, byte & 15];

/** @param {Uint8Array} data @param {number} at of two bytes, the larger one first */
const number = (data, at) => ((data[at] ?? Number.NaN) << 8) | (data[at + 1] ?? 0);
