// Prints the compressed size of what a first visit loads, and fails above the budget:
//
//     node tools/budget.mjs target/site/pkg

import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const BUDGET = 260_000;

const folder = process.argv[2];
const files = readdirSync(folder).filter((name) => !/\.(br|gz)$/.test(name));
const sizes = files.map((name) => [name, size(join(folder, name))]);
const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);

for (const [name, bytes] of [...sizes, ["total", total], ["budget", BUDGET]]) {
  console.log(`${name.padEnd(32)} ${String(bytes).padStart(7)} bytes`);
}
if (total > BUDGET) {
  console.error(`The first visit loads ${total - BUDGET} bytes too much.`);
  process.exit(1);
}

/** The bytes of a file that a browser with brotli support receives. */
function size(path) {
  return statSync(existsSync(`${path}.br`) ? `${path}.br` : path).size;
}
