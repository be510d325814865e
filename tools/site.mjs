// Builds the folder of files that the release binary embeds, from the compiled frontend, `style/` and `public/`:
//
//     node tools/site.mjs target/wasm32-unknown-unknown/wasm-release/frontend.wasm target/site
//
// Guarantees: the folder holds nothing from an earlier build; the name of each file under pkg/ has a hash of its content, and
// pkg/manifest.json has the names; each file that compression makes smaller has a .br and a .gz copy. Needs wasm-bindgen in PATH, in the version of Cargo.lock.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { removeLocations } from "./locations.mjs";

const [frontend, site] = process.argv.slice(2).map((path) => resolve(path));
const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
// What rustc emits; without these flags binaryen refuses the input.
const FEATURES = ["--enable-bulk-memory", "--enable-nontrapping-float-to-int"];
const fresh = `${site}.new`;
const raw = `${site}.raw`;
const pkg = join(fresh, "pkg");

for (const folder of [fresh, raw]) rmSync(folder, { recursive: true, force: true });
mkdirSync(pkg, { recursive: true });
if (existsSync(join(root, "public"))) cpSync(join(root, "public"), fresh, { recursive: true });

const { wasm, names } = optimise(dropLocations(dropExports(bind(frontend))));
const wasmName = `webchat.${hashOf(wasm)}.wasm`;
writeFileSync(join(pkg, wasmName), wasm);

// The JavaScript names its WebAssembly, so the hashed name is written into it before it is hashed itself.
const glue = join(raw, "glue.js");
writeFileSync(glue, rename(readFileSync(join(raw, "webchat.js"), "utf8"), names).replaceAll("webchat_bg.wasm", wasmName));
// Only what the page calls; the rest is left out.
const entry = join(raw, "entry.js");
writeFileSync(entry, 'export { default, start, redraw, __wbg_reset_state } from "./glue.js";\n');

const options = {
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
  // Chrome compiles all functions while it loads a script that begins like this, beside the main thread; else each at its first call.
  banner: { js: "//# allFunctionsCalledOnLoad" },
  logLevel: "warning",
  // wasm-bindgen names a module once for each function that it imports from it.
  logOverride: { "duplicate-object-key": "silent" },
  nodePaths: [join(root, "tools/node_modules")],
};

// A worker first: the script that starts it has its name.
const colours = join(root, "app/src/room/timeline/code_colours");
await build({ ...options, entryPoints: [{ in: join(colours, "worker.js"), out: "highlighter" }] });
const files = join(root, "app/src/room/files");
const HIGHLIGHTER = JSON.stringify(`/pkg/${readdirSync(pkg).find((name) => name.startsWith("highlighter."))}`);
await build({
  ...options,
  define: { HIGHLIGHTER },
  entryPoints: [
    { in: entry, out: "webchat" },
    { in: join(root, "style/main.css"), out: "webchat" },
    { in: join(colours, "main.js"), out: "code_colours" },
    { in: join(files, "main.js"), out: "files" },
    { in: join(files, "files.css"), out: "files" },
    { in: join(root, "public/notifications/main.js"), out: "notifications" },
  ],
});

for (const file of readdirSync(join(root, "locales"))) {
  const bytes = JSON.stringify(catalogue(join(root, "locales", file)));
  writeFileSync(join(pkg, `${basename(file, ".json")}.${hashOf(bytes)}.json`), bytes);
  // The texts of the script that sends files, by their names.
  const texts = JSON.stringify(JSON.parse(readFileSync(join(root, "locales", file), "utf8")).files);
  writeFileSync(join(pkg, `files.${basename(file, ".json")}.${hashOf(texts)}.json`), texts);
}

// What each file is called before the hash is put into its name.
const manifest = Object.fromEntries(readdirSync(pkg).map((name) => [name.replace(/\.[0-9A-Za-z]{8}(?=\.)/, ""), name]));
writeFileSync(join(pkg, "manifest.json"), JSON.stringify(manifest));

const lines = readdirSync(fresh, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map(compress);
rmSync(site, { recursive: true, force: true });
renameSync(fresh, site);
rmSync(raw, { recursive: true });
process.stdout.write(lines.sort().join(""));

/** The part of a hash that stands in the name of a file with these bytes. */
function hashOf(bytes) {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 8);
}

/** The texts of a catalogue that the browser needs, in the form and the order of the crate `texts`, which checks both. */
function catalogue(path) {
  const { app } = JSON.parse(readFileSync(path, "utf8"));
  const english = JSON.parse(readFileSync(join(root, "locales/en.json"), "utf8")).app;
  const plurals = new Intl.PluralRules(basename(path, ".json")).resolvedOptions().pluralCategories;
  const inOrder = ["zero", "one", "two", "few", "many", "other"].filter((category) => plurals.includes(category));
  const isPlural = /_(zero|one|two|few|many|other)$/;
  const keys = [...new Set(Object.keys(english).map((key) => key.replace(isPlural, "")))].sort();
  const formsOf = (texts, key) => Object.keys(texts).filter((form) => form.replace(isPlural, "") === key);
  const textOf = (key) => {
    const forms = key in app ? [app[key]] : inOrder.map((category) => app[`${key}_${category}`]);
    const sources = key in english ? [english[key]] : formsOf(english, key).sort().map((form) => english[form]);
    const names = new Set(key in english ? [] : ["count"]);
    for (const source of sources) for (const [, name] of source.matchAll(/\{(\w+)\}/g)) names.add(name);
    const numbers = new Map([...names].map((name, number) => [name, number]));
    return forms.map((form) => form.replace(/\{(\w+)\}/g, (_, name) => `{${numbers.get(name)}}`)).join("\n");
  };
  return { plurals: inOrder, texts: keys.map(textOf) };
}

/** Runs wasm-bindgen and returns the path of the WebAssembly that it writes beside its JavaScript. */
function bind(input) {
  const flags = ["--target", "web", "--no-typescript", "--out-name", "webchat", "--out-dir", raw];
  // The page replaces the instance of an app that has panicked.
  flags.push("--experimental-reset-state-function");
  execFileSync("wasm-bindgen", [...flags, input], { stdio: "inherit" });
  return join(raw, "webchat_bg.wasm");
}

/** Drops the exports for streams of bytes, which a dependency has and the page does not call. Keeps names for the order. */
function dropExports(input) {
  const exports = WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(input)));
  const kept = exports.filter(({ name }) => !name.includes("intounderlying"));
  const graph = join(raw, "exports.json");
  writeFileSync(graph, JSON.stringify(kept.map(({ name }) => ({ name, export: name, root: true }))));
  binaryen("wasm-metadce", [...FEATURES, "--debuginfo", "--graph-file", graph, input, "-o", input]);
  return input;
}

function dropLocations(path) {
  writeFileSync(path, removeLocations(readFileSync(path)));
  return path;
}

/**
 * Shrinks WebAssembly. Of the functions with one caller only small ones are inlined: without a limit the file is smaller, but less repetitive, and a
 * tenth larger once it is compressed; with a lower limit browsers compile more functions. Ordering functions by name helps compression in the same way.
 *
 * Returns the bytes and the short names of its imports and exports: the hashes in the long ones do not compress.
 */
function optimise(input) {
  // Repeated passes: each finds code that the one before has made equal or simpler.
  const flags = ["-Oz", "--flatten", "--rereloop", "-Oz", "-Oz", "--merge-similar-functions", "-Oz", "--reorder-functions-by-name"];
  flags.push("--strip-producers", "--strip-target-features", "--one-caller-inline-max-function-size=30");
  const names = binaryen("wasm-opt", [...FEATURES, ...flags, "--minify-imports-and-exports-and-modules", input, "-o", input]);
  return { wasm: readFileSync(input), names: JSON.parse(names) };
}

/** Runs a program of binaryen and returns what it prints. */
function binaryen(program, flags) {
  const path = join(root, "tools/node_modules/binaryen/bin", program);
  return execFileSync(process.execPath, [path, ...flags], { stdio: ["ignore", "pipe", "inherit"] });
}

/** Gives the imports and exports of the WebAssembly their short names in the JavaScript of wasm-bindgen. */
function rename(script, { imports, exports }) {
  const isGenerated = ([module]) => module === "./webchat_bg.js";
  const unused = new Map(imports.filter(isGenerated).map(([, long, short]) => [long, short]));
  const keys = new Map(unused);
  const properties = new Map(exports);
  const renamed = script
    .replace(/\b__wb\w+(?=: )/g, (name) => (unused.delete(name), keys.get(name) ?? name))
    .replace(/\bwasm\.(\w+)/g, (whole, name) => (properties.has(name) ? `wasm.${properties.get(name)}` : whole));

  // wasm-opt merges all modules into one, with the functions of the app's own scripts.
  const own = imports.filter((name) => !isGenerated(name)).map(([module, long, short]) => {
    const [, variable] = new RegExp(`"${module}": (\\w+),`).exec(script);
    return `${short}: ${variable}.${long}`;
  });
  const merged = renamed.replace(/return \{\s*__proto__: null,\s*"\.\/webchat_bg\.js": (\w+),[^}]*\}/, (_, variable) =>
    `return { a: { __proto__: null, ${[`...${variable}`, ...own].join(", ")} } }`);
  if (unused.size > 0 || merged === renamed) throw new Error(`wasm-bindgen does not write its imports as expected: ${[...unused.keys()]}`);
  return merged;
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
