// Reads files in base64, one on each line; answers each with the measures of its normal form (null when it isn't any)
// and with those of what `stripped` makes of it.

import { createInterface } from "node:readline";
import { normalFrame, stripped } from "../../src/outbox/jpeg.js";

const tried = (work) => {
  try {
    return work();
  } catch (error) {
    if (error.code !== "broken_image") throw error;
    return null;
  }
};

for await (const line of createInterface({ input: process.stdin })) {
  const data = new Uint8Array(Buffer.from(line, "base64"));
  const bare = tried(() => stripped(data));
  const answer = {
    frame: tried(() => normalFrame(data)),
    stripped: bare && Buffer.from(bare).toString("base64"),
    strippedFrame: bare && tried(() => normalFrame(bare)),
  };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
