// `npm run demo:build`: the browser demo as a static site in web-demo/dist, for any host: page, runtime, bundles of models/.
// `npm run demo:build -- --out DIR --models DIR` for another place or other bundles. `cominfo serve` shows the same site
// with the bundles that it serves.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildIfStale } from "./build.mjs";
import { installIfMissing } from "./install.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
export const site = `${root}/web-demo/dist`;
const runtimeFiles = ["ort-wasm-simd-threaded.wasm", "ort-wasm-simd-threaded.asyncify.wasm"];

/** Small enough that learning is seen within half a minute on one thread of WASM. */
const stepForPage = [
  ...["quickstart", "--pairs", "4096"],
  ...["--set", "model.networks.filters=8", "--set", "model.networks.hidden=64"],
  ...["--set", "training.batchSize=32", "--set", "model.optimiser.learningRate=0.003"],
];

/** The page and the training step it runs: `cominfo serve` adds runtime and bundles from where they lie. */
export async function buildDemo(out = site) {
  const { build } = await import("vite");
  await build({
    configFile: `${root}/web-demo/vite.config.mjs`,
    logLevel: "warn",
    build: { outDir: path.resolve(out), emptyOutDir: true },
  });
  const cli = [`${root}/dist/cli.js`, "export-step", ...stepForPage, "--out", path.resolve(out, "training/quickstart")];
  const exported = spawnSync(process.execPath, cli, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (exported.status !== 0)
    throw new Error("Cannot build the demo: its training step must be exported, got a failure");
}

/** Builds the page unless it is newer than its sources. */
export async function buildDemoIfStale() {
  if (!existsSync(`${root}/web-demo/vite.config.mjs`)) return; // an installed package has the site and no sources
  const built = existsSync(`${site}/index.html`) ? statSync(`${site}/index.html`).mtimeMs : 0;
  const sources = ["web-demo", "information", "schemas"].flatMap((room) =>
    readdirSync(`${root}/${room}`, { recursive: true, withFileTypes: true })
      // Resolved: with a doubled slash in it the site counted as its own source, and was built anew for every test file.
      .filter((entry) => entry.isFile() && !path.resolve(entry.parentPath).startsWith(path.resolve(site)))
      .map((entry) => path.join(entry.parentPath, entry.name)),
  );
  if (sources.some((file) => statSync(file).mtimeMs > built)) await buildDemo();
}

/** Test files that start at the same time build once: the others wait. A lock that a killed process left is passed over. */
async function oneAtATime(work) {
  const lock = `${root}/web-demo/.building`;
  for (let waited = 0; ; waited++) {
    try {
      mkdirSync(lock);
      break;
    } catch {
      if (waited >= 1200) rmSync(lock, { recursive: true, force: true }); // 5 minutes
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
  try {
    await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function addRuntime(out) {
  mkdirSync(`${out}/ort`, { recursive: true });
  const from = path.dirname(fileURLToPath(import.meta.resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm")));
  for (const file of runtimeFiles) cpSync(path.join(from, file), `${out}/ort/${file}`);
}

function addModels(out, models) {
  const bundles = readdirSync(models, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(path.join(models, entry.name, "manifest.json")))
    .map((entry) => entry.name)
    .sort();
  for (const name of bundles) cpSync(path.join(models, name), `${out}/models/${name}`, { recursive: true });
  const list = { models: bundles.map((name) => `models/${name}`), training: ["training/quickstart"] };
  writeFileSync(`${out}/models.json`, `${JSON.stringify(list, null, 2)}\n`);
  return bundles;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      out: { type: "string", default: site },
      models: { type: "string", default: `${root}/models` },
      "if-stale": { type: "boolean", default: false },
    },
  });
  installIfMissing();
  buildIfStale(); // the training step is exported by the command line
  if (values["if-stale"]) {
    await oneAtATime(buildDemoIfStale); // the page alone, for `cominfo serve`
    process.exit();
  }
  await buildDemo(values.out);
  addRuntime(values.out);
  const bundles = addModels(values.out, values.models);
  console.log(`Built the demo in ${values.out}: ${bundles.length} bundles (${bundles.join(", ")})`);
  console.log("Put the folder on any static host, or: npx vite preview web-demo");
}
