// A terminal in a process of its own, whose disk is a file that is written at each commit. Started by
// tests/browser/library/test_sync_protocol.py: node terminal_process.js ADDRESS FILE RESOURCES [--poll]

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { SHAPES } from "../src/database.js";
import { Terminal } from "../src/index.js";
import { MemoryDatabase } from "../src/memory.js";

const [address, file, resources, mode] = process.argv.slice(2);

class Dumped extends MemoryDatabase {
  async write(stores, work) {
    const result = await super.write(stores, work);
    writeFileSync(`${file}.part`, JSON.stringify(this.dump()));
    renameSync(`${file}.part`, file);
    return result;
  }
}

const copy = new Dumped("conformance-copy", SHAPES.copy);
try {
  copy.restore(JSON.parse(readFileSync(file, "utf8")));
} catch (error) {
  if (error.code !== "ENOENT") throw error;
}
const pictures = new MemoryDatabase("conformance-pictures", SHAPES.pictures);
const own = new MemoryDatabase("conformance-own", SHAPES.own);
await Terminal.open({
  base: address,
  resources: resources.split(","),
  world: { databases: { copy, pictures, own }, channel: null, isPolling: mode === "--poll" },
});
