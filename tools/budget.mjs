// Prints the compressed size of what each kind of page loads on a first visit, and fails above the budget:
//
//     node tools/budget.mjs target/site
//
// What a page loads later, on first use, does not count.

import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const BUDGET = 240_000;
const site = process.argv[2];
const manifest = JSON.parse(readFileSync(join(site, "pkg/manifest.json"), "utf8"));
const pkg = (name) => join("pkg", manifest[name]);

const PAGES = {
  "home, room": [pkg("webchat.wasm"), pkg("webchat.js"), pkg("webchat.css"), pkg("en.json")],
  "sign in, settings": [pkg("webchat.css"), "show_password.js"],
};

let isOver = false;
for (const [page, files] of Object.entries(PAGES)) {
  const sizes = files.map((name) => [name, size(join(site, name))]);
  const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
  console.log(page);
  for (const [name, bytes] of [...sizes, [`total, of ${BUDGET}`, total]]) {
    console.log(`  ${name.padEnd(32)} ${String(bytes).padStart(7)} bytes`);
  }
  if (total > BUDGET) {
    console.error(`The first visit loads ${total - BUDGET} bytes too much.`);
    isOver = true;
  }
}
process.exit(isOver ? 1 : 0);

/** The bytes of a file that a browser with brotli support receives. */
function size(path) {
  return statSync(existsSync(`${path}.br`) ? `${path}.br` : path).size;
}
