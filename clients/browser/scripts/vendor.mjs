// Makes vendor/: each library as one ES module, from the versions of package-lock.json. A page needs no build to use it.
//
//   node scripts/vendor.mjs           writes vendor/
//   node scripts/vendor.mjs --check   compares vendor/ with what it would write, and fails when they differ

import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { TARGETS } from "./targets.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const vendor = join(root, "vendor");

const LIT_DIRECTIVES = {
  "class-map": "classMap",
  guard: "guard",
  "if-defined": "ifDefined",
  keyed: "keyed",
  live: "live",
  ref: "ref, createRef",
  repeat: "repeat",
};

// What of each library is in its file. The same statements are its types: typescript reads the .d.ts beside it.
const MODULES = {
  lit: [
    'export * from "lit";',
    ...Object.entries(LIT_DIRECTIVES).map(([file, names]) => `export { ${names} } from "lit/directives/${file}.js";`),
  ],
  idb: ['export * from "idb";'],
  "eventsource-parser": ['export { createParser, ParseError } from "eventsource-parser";'],
  "noble-hashes": ['export { sha256 } from "@noble/hashes/sha2.js";'],
};

/** @returns {Promise<Map<string, string>>} the text of each file of vendor/, by its name */
async function made() {
  const files = new Map();
  const packages = new Set();
  for (const [name, statements] of Object.entries(MODULES)) {
    const contents = `${statements.join("\n")}\n`;
    const result = await build({
      absWorkingDir: root,
      bundle: true,
      format: "esm",
      legalComments: "none", // LICENSES.txt has them whole
      metafile: true,
      minify: true,
      stdin: { contents, resolveDir: root, sourcefile: `${name}.js` },
      target: TARGETS,
      write: false,
    });
    const used = packagesOf(Object.keys(result.metafile.inputs));
    const versions = await Promise.all(used.map(async (one) => `${one} ${(await manifest(one)).version}`));
    files.set(
      `${name}.js`,
      `// ${versions.join(", ")}: made by scripts/vendor.mjs, see LICENSES.txt\n${result.outputFiles[0].text}`,
    );
    files.set(`${name}.d.ts`, contents);
    for (const one of used) packages.add(one);
  }
  files.set("LICENSES.txt", await licences([...packages].sort()));
  return files;
}

const packagesOf = (paths) =>
  [...new Set(paths.map((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]).filter(Boolean))].sort();

const manifest = async (name) => JSON.parse(await readFile(join(root, "node_modules", name, "package.json"), "utf8"));

async function licences(names) {
  const parts = [];
  for (const name of names) {
    const { version, license } = await manifest(name);
    const text = await readFile(join(root, "node_modules", name, "LICENSE"), "utf8");
    parts.push(`${name} ${version} (${license})\n\n${text.trim()}\n`);
  }
  return parts.join(`\n${"-".repeat(80)}\n\n`);
}

async function differences(files) {
  const there = new Set(await readdir(vendor));
  const wrong = [...there].filter((name) => !files.has(name));
  for (const [name, text] of files) {
    if (!there.has(name) || (await readFile(join(vendor, name), "utf8")) !== text) wrong.push(name);
  }
  return wrong;
}

const files = await made();
if (process.argv.includes("--check")) {
  const wrong = await differences(files);
  if (wrong.length) {
    console.error(`vendor/ isn't what the lock file makes: ${wrong.sort().join(", ")}. Run: npm run vendor`);
    process.exit(1);
  }
} else {
  await rm(vendor, { recursive: true, force: true });
  await mkdir(vendor);
  for (const [name, text] of files) await writeFile(join(vendor, name), text);
}
