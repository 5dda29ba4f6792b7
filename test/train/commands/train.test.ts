import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { useSwiftshader } from "../../swiftshader.ts";
import { temporaryFolder } from "../engine/temporary-folder.ts";

const { skipReason } = await useSwiftshader();

/** The compiled program as a person runs it, on a GK-VAE small enough to train in a second. */

const cli = fileURLToPath(new URL("../../../dist/cli.js", import.meta.url));

const recipe = {
  format: 1,
  name: "tiny",
  title: "Tiny",
  source: "none",
  family: "gk-vae",
  model: { image: { size: 32, channels: 1 }, latents: { common: 2, unique: 1 }, networks: { filters: 4, hidden: 8 } },
  data: { source: "dsprites", size: 32 },
  training: { seed: 5, batchSize: 4, steps: 20, logEvery: 5, checkpointEvery: 5 },
  evaluation: {},
  expected: [],
};

function start(folder: string, ...args: string[]): ChildProcess {
  return spawn(process.execPath, [cli, "train", ...args], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
}

async function finish(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const text = { stdout: "", stderr: "" };
  child.stdout!.on("data", (part: Buffer) => (text.stdout += part.toString()));
  child.stderr!.on("data", (part: Buffer) => (text.stderr += part.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...text };
}

/** A folder with the recipe; commands run in it. */
function workplace(changes: Partial<typeof recipe.training> = {}): string {
  const folder = temporaryFolder();
  const changed = { ...recipe, training: { ...recipe.training, ...changes } };
  writeFileSync(path.join(folder, "tiny.json"), JSON.stringify(changed));
  return folder;
}

const fixed = ["--device", "cpu", "--threads", "1"];
const train = (folder: string, ...args: string[]) => finish(start(folder, "tiny.json", ...fixed, ...args));
const checkpoints = (run: string): string[] =>
  existsSync(path.join(run, "checkpoints")) ? readdirSync(path.join(run, "checkpoints")).sort() : [];
const whole = (names: readonly string[]): string[] => names.filter((name) => /^step-\d+$/.test(name));

function state(run: string): Buffer {
  return readFileSync(path.join(run, "checkpoints", whole(checkpoints(run)).at(-1)!, "state.safetensors"));
}

function metrics(run: string): unknown[] {
  const lines = readFileSync(path.join(run, "metrics.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) => ({ ...JSON.parse(line), seconds: 0, examplesPerSecond: 0 }));
}

test("killed with SIGKILL again and again and resumed, a run ends with the bytes of one that was left alone", async () => {
  // A checkpoint after every step: much of the time in which a kill can come is spent writing one.
  const folder = workplace({ steps: 100_000, checkpointEvery: 1 });
  const run = path.join(folder, "runs/tiny");
  for (const [round, wait] of [3, 17, 40].entries()) {
    const before = whole(checkpoints(run)).at(-1);
    const child = start(folder, "tiny.json", ...fixed, ...(round === 0 ? [] : ["--resume"]));
    const ended = finish(child);
    while (whole(checkpoints(run)).at(-1) === before && child.exitCode === null) await sleep(5);
    await sleep(wait);
    child.kill("SIGKILL");
    const { code, stderr } = await ended;
    expect(code, stderr).toBeNull();
    expect(stderr).not.toContain("falling back");
  }
  const done = Number(whole(checkpoints(run)).at(-1)!.slice("step-".length));
  const steps = ["--steps", String(done + 5)];
  const last = await train(folder, "--resume", ...steps);
  expect(last.code, last.stderr).toBe(0);
  const alone = await train(folder, "--out", "alone", ...steps);
  expect(alone.code, alone.stderr).toBe(0);
  expect(state(run).equals(state(path.join(folder, "alone")))).toBe(true);
  expect(metrics(run)).toEqual(metrics(path.join(folder, "alone")));
  expect(readdirSync(run).sort()).toEqual(["checkpoints", "metrics.jsonl", "recipe.json", "run.json"]);
  expect(checkpoints(run)).toEqual(whole(checkpoints(run)));
});

test("Ctrl-C saves, says the command that goes on, and that command does", async () => {
  const folder = workplace({ steps: 100_000, checkpointEvery: 100_000, logEvery: 1 });
  const run = path.join(folder, "runs/tiny");
  const child = start(folder, "tiny.json", ...fixed, "--set", "model.weights.unique=3");
  const ended = finish(child);
  const log = path.join(run, "metrics.jsonl");
  while (!(existsSync(log) && readFileSync(log, "utf8").includes("\n")) && child.exitCode === null) await sleep(5);
  child.kill("SIGINT");
  child.kill("SIGINT"); // as npx forwards what the terminal has sent already
  const { code, stderr } = await ended;
  expect(code, stderr).toBe(130);
  expect(whole(checkpoints(run))).toHaveLength(1);
  const step = Number(whole(checkpoints(run))[0]!.slice("step-".length));
  const command = "cominfo train runs/tiny/recipe.json --out runs/tiny --resume --device cpu --threads 1";
  expect(stderr).toContain(`Saved at step ${step}. Go on with: ${command}\n`);
  const args = command.split(" ").slice(2);
  const resumed = await finish(start(folder, ...args, "--steps", String(step + 3)));
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(whole(checkpoints(run)).at(-1)).toBe(`step-${String(step + 3).padStart(6, "0")}`);
});

test.skipIf(skipReason !== undefined)(
  "--device auto times the step on each device and says what it found; resuming keeps the device",
  async () => {
    const folder = workplace({ steps: 4 });
    const { code, stderr } = await finish(start(folder, "tiny.json"));
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(
      /^Device: (cpu|webgpu), the fastest on this step \(cpu .* a step; webgpu (.*, a software GPU|slower than .*)\)$/m,
    );
    const chosen = /^Device: (\w+)/m.exec(stderr)![1];
    const resumed = await finish(start(folder, "tiny.json", "--resume", "--steps", "5"));
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).not.toContain("Device:");
    expect(JSON.parse(readFileSync(path.join(folder, "runs/tiny/run.json"), "utf8"))).toMatchObject({
      device: chosen,
      step: 5,
    });
  },
);

test("--json prints the result on one line of standard output, progress goes to standard error", async () => {
  const folder = workplace();
  const { code, stdout, stderr } = await train(folder, "--json", "--out", "somewhere");
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ status: "finished", step: 20, device: "cpu", outDir: "somewhere" });
  expect(stdout.trim().split("\n")).toHaveLength(1);
  expect(stderr).toMatch(/joint: step 20\/20, loss [\d.]+ nats/);
  const quiet = await train(folder, "--quiet", "--out", "elsewhere");
  expect({ ...quiet }).toEqual({ code: 0, stdout: "", stderr: "" });
});

test.each([
  [["tiny.jso"], 2, /^Cannot find recipe "tiny.jso": it must be .*quickstart/],
  [
    ["tiny.json", "--device", "gpu"],
    2,
    /^Cannot train: --device must be auto, cpu, webgpu, cuda, got "gpu", did you mean "cpu"\?$/,
  ],
  [
    ["tiny.json", "--engine", "eagre"],
    2,
    /^Cannot train: --engine must be compiled, eager, got "eagre", did you mean "eager"\?$/,
  ],
  [["tiny.json", "--steps", "1.5"], 2, /^Cannot train: --steps must be a whole number from 1 to 100000000, got "1.5"$/],
  [["tiny.json", "--set", "model.latent.common=3"], 2, /unknown key "latent" in .*did you mean "latents"\?$/],
  [
    ["tiny.json", "--resume"],
    2,
    /^Cannot resume "runs\/tiny": it must hold a run, got none; leave out --resume to start one$/,
  ],
  [["tiny.json", "--resume", "--force"], 2, /^Cannot train: --resume and --force exclude each other$/],
  [["tiny.json", "--backend", "tensorflow"], 2, /^Cannot train: --backend tensorflow needs --engine eager$/],
  [
    ["tiny.json", "--engine", "eager", "--backend", "tensorflow"],
    1,
    /got neither; run: npm i --ignore-scripts=false @tensorflow\/tfjs-node@/,
  ],
  [["tiny.json", "--device", "cuda"], 1, /^Cannot start device cuda: /],
  [["tiny.json", "--out", "tiny.json"], 1, /^Cannot start training: folder "tiny.json" must be a folder, got /],
])("`train %s` is one line and exit code %i, and leaves nothing behind", async (args, wanted, message) => {
  const folder = workplace();
  const { code, stdout, stderr } = await finish(start(folder, ...args));
  expect(stderr.trim()).toMatch(message);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect({ code, stdout }).toEqual({ code: wanted, stdout: "" });
  expect(readdirSync(folder)).toEqual(["tiny.json"]);
});
