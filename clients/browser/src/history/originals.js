// Originals of a history, as they came from their provider.

import { ImageDamaged, ImageMissing } from "../errors.js";
import { ORIGINAL } from "../images/bytes.js";
import { had, isWhole, pathOf, typeOf } from "../images/downloads.js";
import { sha256 } from "../images/sha256.js";

/** @import { PictureSource } from "../images/downloads.js" */

const LARGEST = 32 * 1024 * 1024; // bytes; an answer of a provider has 25 MB at most
const KEY = /^images\/[1-9]\d{0,18}\/(?:0|[1-9]\d{0,14})_([0-9a-f]{64})\.(?:jpg|png|webp)$/;
const TYPES = new Set(["image/jpeg", "image/png", "image/webp"]);

/** By `r2_key`: the digits in it are the digest of the bytes. @type {PictureSource} */
export const originals = {
  isName: /** @type {PictureSource["isName"]} */ ((name) => typeof name === "string" && KEY.test(name)),
  longest: 120_000,

  async ask(http, key, _width, signal) {
    const params = { through: "app" };
    return await had(http.request("GET", `/api/r2/image/${key}`, { params, signal, timeout: this.longest }));
  },

  /** What we were sent elsewhere for is another form of the picture: its original is gone. */
  async check(answer, key) {
    if (!pathOf(answer).endsWith(`/api/r2/image/${key}`)) throw new ImageMissing();
    const type = typeOf(answer);
    const isIt = isWhole(answer, LARGEST) && TYPES.has(type);
    if (!isIt || (await sha256(answer.bytes)) !== KEY.exec(key)?.[1]) throw new ImageDamaged();
    return { bytes: answer.bytes, type, width: ORIGINAL };
  },
};
