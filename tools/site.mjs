// Builds the folder of files that the release binary embeds, from the compiled frontend, `style/` and `public/`:
//
//     node tools/site.mjs target/wasm32-unknown-unknown/wasm-release/frontend.wasm target/site
//
// Guarantees: the folder holds nothing from an earlier build; the name of each file under pkg/ has a hash of its content;
// each file that compression makes smaller has a .br and a .gz copy. Needs wasm-bindgen in PATH, in the version of Cargo.lock.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const [frontend, site] = process.argv.slice(2).map((path) => resolve(path));
const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const fresh = `${site}.new`;
const raw = `${site}.raw`;
const pkg = join(fresh, "pkg");

for (const folder of [fresh, raw]) rmSync(folder, { recursive: true, force: true });
mkdirSync(pkg, { recursive: true });
if (existsSync(join(root, "public"))) cpSync(join(root, "public"), fresh, { recursive: true });

const wasm = optimise(bind(frontend));
const wasmName = `webchat.${createHash("sha256").update(wasm).digest("hex").slice(0, 8)}.wasm`;
writeFileSync(join(pkg, wasmName), wasm);

// The JavaScript names its WebAssembly, so the hashed name is written into it before it is hashed itself.
const glue = join(raw, "webchat.js");
writeFileSync(glue, readFileSync(glue, "utf8").replaceAll("webchat_bg.wasm", wasmName));

await build({
  entryPoints: [{ in: glue, out: "webchat" }, { in: join(root, "style/main.css"), out: "webchat" }],
  outdir: pkg,
  absWorkingDir: root,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  entryNames: "[name].[hash]",
  assetNames: "[name].[hash]",
  publicPath: "/pkg/",
  loader: { ".woff2": "file", ".svg": "file", ".png": "file" },
  plugins: [{ name: "public", setup: fromPublic }],
  logLevel: "warning",
  // wasm-bindgen names a module once for each function that it imports from it.
  logOverride: { "duplicate-object-key": "silent" },
});

const lines = readdirSync(fresh, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map(compress);
rmSync(site, { recursive: true, force: true });
renameSync(fresh, site);
rmSync(raw, { recursive: true });
process.stdout.write(lines.sort().join(""));

/** Runs wasm-bindgen and returns the path of the WebAssembly that it writes beside its JavaScript. */
function bind(input) {
  const flags = ["--target", "web", "--no-typescript", "--out-name", "webchat", "--out-dir", raw];
  // The page replaces the instance of an app that has panicked.
  flags.push("--experimental-reset-state-function");
  execFileSync("wasm-bindgen", [...flags, input], { stdio: "inherit" });
  return join(raw, "webchat_bg.wasm");
}

/**
 * Shrinks WebAssembly. The enabled features are those that rustc emits; without them wasm-opt refuses the input.
 * Functions with one caller are not inlined: the file is larger, but more repetitive, and a fifteenth smaller once it is
 * compressed. Ordering functions by name helps compression in the same way.
 */
function optimise(input) {
  // Repeated passes: each finds code that the one before has made equal or simpler.
  const flags = ["-Oz", "--flatten", "--rereloop", "-Oz", "-Oz", "--merge-similar-functions", "-Oz", "--reorder-functions-by-name"];
  flags.push("--enable-bulk-memory", "--enable-nontrapping-float-to-int", "--strip-producers", "--strip-target-features");
  flags.push("--one-caller-inline-max-function-size=10");
  const tool = join(root, "tools/node_modules/binaryen/bin/wasm-opt");
  execFileSync(process.execPath, [tool, ...flags, input, "-o", input], { stdio: "inherit" });
  return readFileSync(input);
}

/** Resolves `url(/fonts/x.woff2)` in a style sheet to the file in `public/`, which gets a hash. */
function fromPublic(esbuild) {
  esbuild.onResolve({ filter: /^\// }, ({ path, kind }) =>
    kind === "url-token" ? { path: join(root, "public", path) } : undefined);
}

/** Writes the compressed copies of a file and returns a line with their sizes. */
function compress(entry) {
  const path = join(entry.parentPath ?? entry.path, entry.name);
  const bytes = readFileSync(path);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  const forms = { br: brotliCompressSync(bytes, { params }), gz: gzipSync(bytes, { level: 9 }) };
  const smaller = Object.entries(forms).filter(([, form]) => form.length < bytes.length);
  for (const [suffix, form] of smaller) writeFileSync(`${path}.${suffix}`, form);
  const sizes = smaller.map(([suffix, form]) => `${suffix} ${form.length}`).join(", ");
  return `${path.slice(fresh.length + 1).padEnd(36)} ${String(bytes.length).padStart(8)}  ${sizes}\n`;
}
