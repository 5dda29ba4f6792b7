// `npm run test:package`: what a user of the npm package gets. Packs it, installs the tarball into an empty project,
// and on Node 20, 22 and 24 runs `npx cominfo --help`, the recipes, every entry of the package, and a ten-line program.
// Slow (a large install), so it is no part of `npm test`.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "../../scripts/build.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));

/** Exact, so that a run can be repeated. The major that runs this file is taken from the process. */
const nodes = { 20: "20.20.2", 22: "22.23.3", 24: "24.21.0" };

const program = `import * as tf from "@tensorflow/tfjs-core";
import { checkModel, trace, writeOnnx } from "cominfo/export";
import ort from "onnxruntime-node";

const norm = ({ x }) => ({ y: tf.sqrt(tf.sum(tf.square(x), 1)) });
const bytes = writeOnnx(trace(norm, { name: "norm", inputs: { x: { shape: ["batch", 2], dtype: "float32" } }, variables: "frozen" }));
checkModel(bytes);
const session = await ort.InferenceSession.create(bytes);
const { y } = await session.run({ x: new ort.Tensor("float32", Float32Array.of(3, 4, 5, 12), [2, 2]) });
console.log("norms", ...y.data);
`;

/** Type-checked against the package's own declarations. */
const typed = `import { trace, writeOnnx, type Graph } from "cominfo/export";
const graph: Graph = trace(({ x }) => ({ y: x! }), { name: "t", inputs: { x: { shape: [1], dtype: "float32" } }, variables: "frozen" });
export const bytes: Uint8Array = writeOnnx(graph);
// @ts-expect-error the dtype is checked, so the declarations are there
trace(({ x }) => ({ y: x! }), { name: "t", inputs: { x: { shape: [1], dtype: "text" } }, variables: "frozen" });
`;

function run(command, args, { cwd, env = {}, status = 0 }) {
  const result = spawnSync(command, args, { cwd, encoding: "utf8", env: { ...process.env, ...env } });
  const text = `${result.stdout ?? ""}${result.stderr ?? ""}`;
  if (result.status !== status) {
    throw new Error(
      `${command} ${args.join(" ")} must end with ${status}, got ${result.status ?? result.signal}\n${text}`,
    );
  }
  return text;
}

function demand(text, wanted, what) {
  if (!wanted.test(text)) throw new Error(`${what} must match ${wanted}, got\n${text}`);
}

const quiet = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];

/** Folder with a `node` of this major version, installed from npm into .cache/ on first use. */
function nodeFolder(major) {
  if (process.versions.node.split(".")[0] === major) return path.dirname(process.execPath);
  const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const home = path.join(root, ".cache", `node-${major}`);
  const folder = path.join(home, "node_modules", name, "bin");
  const package_ = path.join(home, "node_modules", name, "package.json");
  if (!existsSync(package_) || JSON.parse(readFileSync(package_, "utf8")).version !== nodes[major]) {
    mkdirSync(home, { recursive: true });
    writeFileSync(path.join(home, "package.json"), '{ "private": true }\n');
    run("npm", ["install", ...quiet, "--no-save", `${name}@${nodes[major]}`], { cwd: home });
  }
  return folder;
}

const project = mkdtempSync(path.join(tmpdir(), "cominfo-package-"));
try {
  build();
  run("npm", ["pack", "--pack-destination", project, "--loglevel=error"], { cwd: root });
  const [tarball] = readdirSync(project).filter((file) => file.endsWith(".tgz"));
  writeFileSync(path.join(project, "package.json"), '{ "private": true, "type": "module" }\n');
  const own = ["@tensorflow/tfjs-core", "onnxruntime-node"].map((name) => `${name}@${manifest.dependencies[name]}`);
  run("npm", ["install", ...quiet, `./${tarball}`, ...own], { cwd: project });
  writeFileSync(path.join(project, "program.mjs"), program);
  writeFileSync(path.join(project, "typed.ts"), typed);
  const entries = Object.keys(manifest.exports).filter((entry) => !entry.endsWith(".json"));
  const imports = entries.map((entry) => `await import("cominfo/${entry.slice(2)}");`).join("\n");
  writeFileSync(path.join(project, "entries.mjs"), `${imports}\nconsole.log("entries loaded");\n`);

  const tsc = path.join(root, "node_modules", "typescript", "bin", "tsc");
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--skipLibCheck", "typed.ts"];
  run(process.execPath, [tsc, ...options], { cwd: project });
  console.log("types: declarations are found and checked");

  const recipes = readdirSync(path.join(root, "train", "recipes"))
    .filter((file) => file.endsWith(".json"))
    .map((file) => path.basename(file, ".json"));
  for (const major of Object.keys(nodes)) {
    const env = { PATH: `${nodeFolder(major)}${path.delimiter}${process.env.PATH}` };
    const version = run("node", ["--version"], { cwd: project, env }).trim();
    demand(version, new RegExp(`^v${major}\\.`), "node --version");
    demand(run("npx", ["--no-install", "cominfo", "--help"], { cwd: project, env }), /Usage: cominfo/, "--help");
    const unknown = run("npx", ["--no-install", "cominfo", "train", "no-such-recipe"], {
      cwd: project,
      env,
      status: 2,
    });
    for (const recipe of recipes) demand(unknown, new RegExp(recipe), "the list of recipes");
    demand(run("node", ["entries.mjs"], { cwd: project, env }), /entries loaded/, "every entry of the package");
    demand(run("node", ["program.mjs"], { cwd: project, env }), /^norms 5 13$/m, "the program");
    console.log(`Node ${version}: help, ${recipes.length} recipes, ${entries.length} entries, a traced program`);
  }
} finally {
  rmSync(project, { recursive: true, force: true });
}
