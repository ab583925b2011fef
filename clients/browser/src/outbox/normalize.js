// Any photo that this browser can show becomes what the server keeps byte for byte: upright, at most 1600 pixels, on
// white, without metadata. So its hash is final here, without the network.

import { inTime } from "../database.js";
import { PictureRefused } from "../errors.js";
import { LONGEST_EDGE, normalFrame, stripped } from "./jpeg.js";

const MAX_BYTES = 25 * 1024 * 1024;
const MAX_PIXELS = 12_032 * 9_024; // what phones of 108 megapixels make, as the server takes it
const LARGEST_MADE = 2_000_000; // bytes, below 2 MB however they are read
const QUALITIES = [0.85, 0.75, 0.6, 0.45, 0.3, 0.15];
const WORKING = 30_000; // ms, at most, for one step of the browser

/**
 * `photo` itself when it is in normal form, else the picture in it, made so. Rejects with PictureRefused.
 *
 * @param {Blob} photo
 * @returns {Promise<ArrayBuffer>}
 */
export async function normalize(photo) {
  if (photo.size > MAX_BYTES) throw new PictureRefused("too_large");
  const data = await photo.arrayBuffer();
  const bitmap = await decoded(data);
  try {
    if (bitmap.width * bitmap.height > MAX_PIXELS) throw new PictureRefused("too_many_pixels");
    return isNormal(data, bitmap) ? data : await encoded(drawn(bitmap));
  } finally {
    bitmap.close();
  }
}

/** @param {ArrayBuffer} data @param {ImageBitmap} bitmap */
function isNormal(data, bitmap) {
  try {
    const { width, height } = normalFrame(new Uint8Array(data));
    return width === bitmap.width && height === bitmap.height;
  } catch {
    return false;
  }
}

/** Upright, in sRGB. @param {ArrayBuffer} data @returns {Promise<ImageBitmap>} */
async function decoded(data) {
  const decoding = createImageBitmap(new Blob([data])); // upright by default
  return await inTime(decoding, WORKING, (late) => late.close()).catch((error) => {
    const [first, second] = new Uint8Array(data, 0, Math.min(2, data.byteLength));
    const isOfOurs = (first === 0xff && second === 0xd8) || (first === 0x89 && second === 0x50);
    throw new PictureRefused(isOfOurs ? "broken_image" : "unsupported_image", String(error));
  });
}

/** @param {ImageBitmap} bitmap */
function drawn(bitmap) {
  const scale = Math.min(1, LONGEST_EDGE / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((edge) => Math.max(1, Math.round(edge * scale)));
  const canvas = new OffscreenCanvas(width ?? 1, height ?? 1);
  const context = canvas.getContext("2d", { alpha: false });
  if (!context) throw new PictureRefused("broken_image", "this browser has no memory for a canvas");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** @param {OffscreenCanvas} canvas @returns {Promise<ArrayBuffer>} */
async function encoded(canvas) {
  for (const quality of QUALITIES) {
    const blob = await inTime(canvas.convertToBlob({ type: "image/jpeg", quality }), WORKING).catch((error) => {
      throw new PictureRefused("broken_image", String(error));
    });
    const made = stripped(new Uint8Array(await blob.arrayBuffer()));
    if (made.length > LARGEST_MADE) continue;
    normalFrame(made);
    return made.buffer;
  }
  throw new PictureRefused("too_large", "this browser's encoder makes too much of it");
}
