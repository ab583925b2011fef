// Fails when one of our files has syntax that a target browser lacks: esbuild would then write it in another way.

import { readdir, readFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import { TARGETS } from "./targets.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const LOADERS = { ".js": "js", ".css": "css" };
const FOLDERS = ["src", "app", "vendor"];

async function* ours() {
  yield "sw.js";
  for (const folder of FOLDERS) {
    for (const entry of await readdir(join(root, folder), { recursive: true })) yield join(folder, entry);
  }
}

/** @returns {Promise<string | null>} the first line that differs, as esbuild writes it for the newest browsers */
async function lacking(path) {
  const loader = LOADERS[extname(path)];
  const text = await readFile(join(root, path), "utf8");
  const [plain, lowered] = await Promise.all(
    ["esnext", TARGETS].map(async (target) => (await transform(text, { loader, target })).code.split("\n")),
  );
  const at = plain.findIndex((line, index) => line !== lowered[index]);
  if (at < 0 && plain.length === lowered.length) return null;
  return plain[at]?.trim() ?? lowered[plain.length].trim();
}

let failed = false;
for await (const path of ours()) {
  if (!(extname(path) in LOADERS)) continue;
  const line = await lacking(path);
  if (line === null) continue;
  console.error(`${path}: a target browser doesn't know this: ${line.slice(0, 200)}`);
  failed = true;
}
process.exit(failed ? 1 : 0);
