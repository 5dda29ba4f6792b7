import "../../../export/tfjs-setup.ts";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { Command } from "commander";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Recipe } from "../../../schemas/recipe.ts";
import { type Results, resultsSchema } from "../../../schemas/results.ts";
import type { HostTensor } from "../../../schemas/tensor.ts";
import { validate } from "../../../schemas/validate.ts";
import { addEvaluateCommand } from "../../../train/commands/evaluate.ts";
import { openSource } from "../../../train/data/open-source.ts";
import { saveCheckpoint } from "../../../train/engine/checkpoint.ts";
import { configurationOf, hashOf } from "../../../train/engine/configuration.ts";
import { encodePairs } from "../../../train/evaluate/encode-pairs.ts";
import { evaluateRun } from "../../../train/evaluate/evaluate-run.ts";
import { checkModelConfig, familyByName } from "../../../train/models/registry.ts";
import { stream } from "../../../train/random.ts";
import { temporaryFolder } from "../engine/temporary-folder.ts";

/** A run of a very small GK-VAE with random weights, as the engine would leave it. */

const pairs = 120;
const family = familyByName("gk-vae");

/** The options of a source are open in the type of a recipe; the source checks them. */
function dspritesOf(options: object): Recipe["data"] {
  return { source: "dsprites", size: 32, ...options } as Recipe["data"];
}

function recipeWith(changes: { prior?: string; expected?: Recipe["expected"] } = {}): Recipe {
  const model = {
    image: { size: 32, channels: 1 },
    latents: { common: 2, unique: 1 },
    networks: { filters: 2, hidden: 8 },
    prior: changes.prior ?? "fixed",
  };
  const recipe: Recipe = {
    format: 1,
    name: "tiny",
    title: "A tiny run",
    source: "a test",
    family: "gk-vae",
    model,
    data: dspritesOf({ scales: 1, orientations: 1, positions: 2 }),
    training: { seed: 5, batchSize: 4, steps: 40, microBatch: 0, logEvery: 10, checkpointEvery: 10 },
    evaluation: { pairs, classifier: "linear" },
    expected: changes.expected ?? [],
  };
  checkModelConfig("gk-vae", recipe.model, "test"); // fills in the defaults
  return recipe;
}

/** Values that are not those of the recipe's seed: the evaluation must take them from the checkpoint. */
function trainedValues(recipe: Recipe): Map<string, HostTensor> {
  const networks = family.networks(recipe.model, 99);
  const random = stream(1, "priors");
  const values = Object.entries(networks).map(([name, variable]): [string, HostTensor] => {
    const data = Float32Array.from(variable.dataSync());
    if (name.startsWith("prior.")) for (const i of data.keys()) data[i] = 0.5 * random.normal();
    return [name, { dtype: "float32", shape: variable.shape, data }];
  });
  tf.disposeVariables();
  return new Map(values);
}

async function makeRun(recipe: Recipe, values = trainedValues(recipe)): Promise<string> {
  const run = temporaryFolder();
  writeFileSync(path.join(run, "recipe.json"), JSON.stringify(recipe));
  const configuration = configurationOf(recipe);
  const head = {
    step: 20,
    steps: 40,
    phase: "joint",
    seconds: 1,
    configuration,
    recipeHash: hashOf(configuration),
    engine: "compiled",
    device: "cpu",
    threads: 1,
  };
  await saveCheckpoint(run, head, values);
  return run;
}

beforeEach(() => tf.setBackend("cpu"));
afterEach(() => vi.restoreAllMocks());

test("evaluateRun() writes results.json, checked against its schema, and returns the same", async () => {
  const run = await makeRun(recipeWith());
  const results = await evaluateRun(run);
  const written = JSON.parse(readFileSync(path.join(run, "results.json"), "utf8")) as Results;
  expect(validate(resultsSchema, written, "read results")).toEqual(results);
  expect(results).toMatchObject({ experiment: "tiny", family: "gk-vae", seed: 5, step: 20, steps: 40, pairs });
  expect(results.data.factors.map(({ name }) => name)).toEqual([
    "shape",
    "scale",
    "orientation",
    "position_x",
    "position_y",
  ]);
  const quantities = results.figures.map(({ quantity }) => quantity);
  expect(quantities).toContain("usable.shape.common");
  expect(quantities.filter((name) => name.includes("orientation"))).toEqual([]); // one value: nothing to find
  expect(readdirSync(run).filter((name) => name.includes("tmp"))).toEqual([]);
  expect(Object.keys(tf.engine().registeredVariables)).toEqual([]);
});

test("the same checkpoint gives the same figures; other weights give others", async () => {
  const recipe = recipeWith();
  const first = await evaluateRun(await makeRun(recipe));
  const again = await evaluateRun(await makeRun(recipe));
  expect(again.figures).toEqual(first.figures);
  const values = trainedValues(recipe);
  const bias = values.get("encoder_1.dense_3.bias")!;
  values.set("encoder_1.dense_3.bias", {
    ...bias,
    data: Float32Array.from(bias.data as Float32Array, (value) => value + 1),
  });
  const other = await evaluateRun(await makeRun(recipe, values));
  const rate = ({ figures }: Results) => figures.find(({ quantity }) => quantity === "rate.common")!.value;
  expect(rate(other)).toBeGreaterThan(rate(first));
});

for (const prior of ["fixed", "learned"]) {
  test(`rates are those that the task common_information gives pair by pair (${prior} prior)`, async () => {
    const recipe = recipeWith({ prior });
    const values = trainedValues(recipe);
    const { figures } = await evaluateRun(await makeRun(recipe, values));
    const networks = family.networks(recipe.model, 0);
    for (const [name, variable] of Object.entries(networks)) {
      variable.assign(tf.tensor(values.get(name)!.data as Float32Array, variable.shape));
    }
    const totals = { first: 0, second: 0, apart: 0 };
    await encodePairs(
      async (views) => {
        const images = Object.fromEntries(
          Object.entries(views).map(([name, { data, shape }]) => [
            name,
            tf.tensor(Int32Array.from(data as Uint8Array), [...shape], "int32"),
          ]),
        );
        const got = family.tasks(recipe.model).common_information!.run(networks, images);
        const total = (name: string) => tf.sum(got[name]!).arraySync() as number;
        totals.first += total("rate_common_1") / Math.LN2;
        totals.second += total("rate_common_2") / Math.LN2;
        totals.apart += total("disagreement_1to2") / Math.LN2;
        return {};
      },
      openSource(recipe.data),
      { pairs, seed: 5 },
    );
    tf.disposeVariables();
    const bits = (name: string) => figures.find(({ quantity }) => quantity === name)!.value;
    expect(bits("rate.common")).toBeCloseTo(totals.first / pairs, 4);
    expect(bits("rate.common_2")).toBeCloseTo(totals.second / pairs, 4);
    expect(bits("disagreement.common")).toBeCloseTo(totals.apart / pairs, 4);
    expect(totals.first / pairs).toBeGreaterThan(0.01);
  });
}

test("what the recipe expects is judged, and a quantity that does not exist costs none of the others", async () => {
  const expected = [{ quantity: "usable.shape.common", unit: "bits", minimum: 5, source: "ours: cannot be met" }];
  const { figures } = await evaluateRun(await makeRun(recipeWith({ expected })));
  expect(figures.find(({ quantity }) => quantity === "usable.shape.common")).toMatchObject({ minimum: 5, met: false });
  const wrong = await makeRun(recipeWith({ expected: [{ ...expected[0]!, quantity: "usable.shap.common" }] }));
  const others = await evaluateRun(wrong);
  expect(others.figures).toHaveLength(figures.length);
  const told = others.notComputed!.find(({ quantity }) => quantity === "usable.shap.common");
  expect(told!.reason).toContain('did you mean "usable.shape.common"?');
  expect(readFileSync(path.join(wrong, "report.html"), "utf8")).toContain("usable.shap.common");
});

test("without a report, one of an earlier evaluation does not stay beside other figures", async () => {
  const [folder, warn] = [await makeRun(recipeWith()), vi.fn()];
  const report = path.join(folder, "report.html");
  await evaluateRun(folder, { report: false, warn });
  expect(warn).not.toHaveBeenCalled();
  await evaluateRun(folder, { warn });
  expect(existsSync(report)).toBe(true);
  await evaluateRun(folder, { report: false, warn });
  expect(existsSync(report)).toBe(false);
  expect(warn).toHaveBeenCalledWith(expect.stringContaining("Removed"));
});

for (const classifier of ["linear", "trees"] as const) {
  test(`constant codes through the whole evaluation are stated zeros, never NaN (${classifier})`, async () => {
    const recipe = recipeWith();
    recipe.evaluation.classifier = classifier;
    const zeros = [...trainedValues(recipe)].map(([name, value]): [string, HostTensor] => [
      name,
      { ...value, data: new Float32Array(value.data.length) },
    ]);
    const run = await makeRun(recipe, new Map(zeros));
    const { figures } = await evaluateRun(run);
    for (const { quantity, value, interval = [] } of figures) {
      expect([value, ...interval].every(Number.isFinite), quantity).toBe(true);
      if (/^(rate|disagreement|total_correlation|mig|sap|purity|dci\.(dis|comp))/.test(quantity)) {
        expect(Math.abs(value), quantity).toBeLessThan(1e-6);
      }
      if (/^usable\./.test(quantity)) expect(value, quantity).toBeLessThan(0.05);
    }
    expect(readFileSync(path.join(run, "report.html"), "utf8")).not.toMatch(/NaN|Infinity/);
  });
}

test("a folder without a run and a checkpoint of another model are refused in one line", async () => {
  const empty = temporaryFolder();
  await expect(evaluateRun(empty)).rejects.toThrow(`Cannot load run "${empty}": it must hold a recipe.json, got none`);
  const recipe = recipeWith();
  const values = trainedValues(recipe);
  values.delete("encoder_2.conv_1.kernel");
  await expect(evaluateRun(await makeRun(recipe, values))).rejects.toThrow(
    'Cannot evaluate: "encoder_2.conv_1.kernel" must be in the checkpoint, got none',
  );
});

test("`cominfo evaluate` prints a table, or JSON on request, and refuses too few pairs, and more than fit", async () => {
  const run = await makeRun(recipeWith());
  const out = vi.spyOn(console, "log").mockImplementation(() => {});
  const call = (...flags: string[]) => {
    const program = new Command().exitOverride();
    addEvaluateCommand(program);
    return program.parseAsync(["node", "cominfo", "evaluate", run, "--quiet", ...flags]);
  };
  await call();
  expect(out.mock.calls[0]![0]).toContain("Bits found by a linear probe in each block after 20 steps (24 test pairs)");
  await call("--json", "--pairs", "100", "--threads", "1");
  expect(validate(resultsSchema, JSON.parse(String(out.mock.calls[1]![0])), "read results").pairs).toBe(100);
  await expect(call("--threads", "0")).rejects.toThrow(
    'Cannot evaluate: --threads must be a whole number from 1 to 1024, got "0"',
  );
  await expect(call("--pairs", "ten")).rejects.toThrow(
    'Cannot evaluate: --pairs must be a whole number from 100 to 1000000, got "ten"',
  );
  await expect(call("--pairs", "10000000000")).rejects.toThrow(
    'Cannot evaluate: --pairs must be a whole number from 100 to 1000000, got "10000000000"',
  );
  await expect(call("--threads", "1025")).rejects.toThrow("--threads must be a whole number from 1 to 1024");
});
