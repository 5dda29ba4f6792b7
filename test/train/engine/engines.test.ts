import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { HostTensor } from "../../../schemas/tensor.ts";
import { createBatches } from "../../../train/engine/batches.ts";
import { compileStep } from "../../../train/engine/compile-step.ts";
import { createCompiledEngine } from "../../../train/engine/compiled-engine.ts";
import { createEagerEngine } from "../../../train/engine/eager-engine.ts";
import type { Engine, Feeds } from "../../../train/engine/engine.ts";
import { buildStep, type StepProgram } from "../../../train/engine/step.ts";
import { startThreadedEngine } from "../../../train/engine/threaded-engine.ts";
import { useSwiftshader } from "../../swiftshader.ts";
import { type ToyConfig, toyFamily, toySource } from "./toy-family.ts";

const { skipReason } = await useSwiftshader();
const batchSize = 6;
const seed = 11;

beforeAll(async () => {
  await tf.setBackend("cpu");
});

afterEach(() => tf.disposeVariables());

function setUp(kind: ToyConfig["kind"], microBatch = 0): { program: StepProgram; feedsOf: (step: number) => Feeds } {
  const config: ToyConfig = { kind, learningRate: 0.02, explodeAt: -1 };
  const noise = toyFamily.noise(config, batchSize);
  const program = buildStep({
    phase: toyFamily.phases(config).at(-1)!,
    networks: toyFamily.networks(config, seed),
    inputs: toyFamily.inputs(config),
    noise,
    batchSize,
    microBatch,
    phaseSteps: 100,
  });
  const draw = createBatches({ source: toySource, inputs: ["view_1"], noise, seed, batchSize });
  const scalar = (value: number): HostTensor => ({ dtype: "float32", shape: [], data: Float32Array.of(value) });
  const scalars = (step: number) =>
    Object.fromEntries(Object.entries(program.scalars(step - 1)).map(([name, value]) => [name, scalar(value)]));
  return { program, feedsOf: (step) => ({ ...draw(step), ...scalars(step) }) };
}

/** Terms of each step, and the state at the end. */
async function trajectory(engine: Engine, feedsOf: (step: number) => Feeds, steps: number) {
  const terms: Record<string, number>[] = [];
  for (let step = 1; step <= steps; step++) terms.push(await engine.step(feedsOf(step)));
  const state = await engine.readState();
  return { terms, state };
}

type Trajectory = Awaited<ReturnType<typeof trajectory>>;

/** Largest difference of terms and of state values, each relative to the largest value. */
function difference(a: Trajectory, b: Trajectory): { terms: number; state: number } {
  const flat = ({ terms }: Trajectory) => terms.flatMap(({ loss, distortion, rate }) => [loss!, distortion!, rate!]);
  const values = ({ state }: Trajectory) =>
    [...state].sort(([x], [y]) => (x < y ? -1 : 1)).flatMap(([, { data }]) => [...(data as Float32Array)]);
  return { terms: relative(flat(a), flat(b)), state: relative(values(a), values(b)) };
}

function relative(a: readonly number[], b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  const gaps = a.map((value, i) => Math.abs(value - b[i]!));
  return Math.max(...gaps) / Math.max(...a.map(Math.abs));
}

async function eagerly(kind: ToyConfig["kind"], steps: number): Promise<Trajectory> {
  const { program, feedsOf } = setUp(kind);
  const result = await trajectory(createEagerEngine(program), feedsOf, steps);
  tf.disposeVariables();
  return result;
}

const devices = [
  { device: "cpu", skip: false },
  { device: "webgpu", skip: skipReason !== undefined },
] as const;

describe.each(devices)("the compiled engine on $device", ({ device, skip }) => {
  test.skipIf(skip).each(["one-phase", "two-phases", "two-players"] as const)(
    "takes the path of the eager one, %s",
    async (kind) => {
      const eager = await eagerly(kind, 12);
      const { program, feedsOf } = setUp(kind);
      const engine = await createCompiledEngine(compileStep(program), { device, threads: 1 });
      const compiled = await trajectory(engine, feedsOf, 12);
      await engine.dispose();
      expect(new Set(compiled.state.keys())).toEqual(new Set(eager.state.keys()));
      const gap = difference(eager, compiled);
      expect(gap.terms).toBeLessThan(2e-6);
      expect(gap.state).toBeLessThan(2e-5);
      // The comparison means something only if the path goes somewhere.
      expect(compiled.terms[11]!.loss!).toBeLessThan(0.9 * compiled.terms[0]!.loss!);
    },
  );

  test.skipIf(skip)("goes on from a state that was read from another one as if it were the same", async () => {
    const { program, feedsOf } = setUp("one-phase");
    const step = compileStep(program);
    const first = await createCompiledEngine(step, { device, threads: 1 });
    await trajectory(first, feedsOf, 5);
    const state = await first.readState();
    const wanted = await trajectory(first, (n) => feedsOf(n + 5), 5);
    await first.dispose();
    const second = await createCompiledEngine(step, { device, threads: 1 });
    await second.writeState(state);
    const got = await trajectory(second, (n) => feedsOf(n + 5), 5);
    await second.dispose();
    expect(got.terms).toEqual(wanted.terms);
    for (const [name, { data }] of wanted.state) expect(got.state.get(name)!.data, name).toEqual(data);
  });

  test.skipIf(skip)("gives copies of its state, which later steps do not change", async () => {
    const { program, feedsOf } = setUp("one-phase");
    const engine = await createCompiledEngine(compileStep(program), { device, threads: 1 });
    await engine.step(feedsOf(1));
    const state = await engine.readState();
    const before = (state.get("decoder.bias")!.data as Float32Array).slice();
    await engine.step(feedsOf(2));
    expect(state.get("decoder.bias")!.data).toEqual(before);
    expect((await engine.readState()).get("decoder.bias")!.data).not.toEqual(before);
    await engine.dispose();
  });
});

test("micro-batches change the path by rounding only", async () => {
  const eager = await eagerly("one-phase", 12);
  const { program, feedsOf } = setUp("one-phase", 4); // blocks of 4 and 2 rows
  const engine = await createCompiledEngine(compileStep(program), { device: "cpu", threads: 1 });
  const gap = difference(eager, await trajectory(engine, feedsOf, 12));
  await engine.dispose();
  expect(gap.terms).toBeLessThan(2e-6);
  expect(gap.state).toBeLessThan(2e-5);
});

test("on a thread of its own the engine gives the same bits", async () => {
  const { program, feedsOf } = setUp("two-players");
  const step = compileStep(program);
  const here = await createCompiledEngine(step, { device: "cpu", threads: 1 });
  const there = await startThreadedEngine(step, { device: "cpu", threads: 1 });
  const wanted = await trajectory(here, feedsOf, 5);
  const got = await trajectory(there, feedsOf, 5);
  expect(got.terms).toEqual(wanted.terms);
  for (const [name, { data }] of wanted.state) expect(got.state.get(name)!.data, name).toEqual(data);
  await Promise.all([here.dispose(), there.dispose()]);
});

test("an error on the engine's thread arrives as the same one line", async () => {
  const { program, feedsOf } = setUp("one-phase");
  const engine = await startThreadedEngine(compileStep(program), { device: "cpu", threads: 1 });
  const { "batch/view_1": _, ...incomplete } = feedsOf(1);
  await expect(engine.step(incomplete)).rejects.toThrow('"batch/view_1" is missing');
  await expect(engine.writeState(new Map([["x", feedsOf(1)["noise/epsilon"]!]]))).rejects.toMatchObject({
    name: "FailureError",
    message: 'Cannot restore state: "x" must be a variable of the model, got an unknown name',
  });
  await engine.step(feedsOf(1)); // and the engine is still good
  await engine.dispose();
});

describe.each(["eager", "compiled"] as const)("the state of the %s engine", (kind) => {
  test("refuses a value of another shape or type", async () => {
    const { program } = setUp("one-phase");
    const engine =
      kind === "eager"
        ? createEagerEngine(program)
        : await createCompiledEngine(compileStep(program), { device: "cpu" });
    const bias = (shape: number[], dtype: "float32" | "int32" = "float32"): Map<string, HostTensor> =>
      new Map([["decoder.bias", { dtype, shape, data: new Float32Array(5) }]]);
    await expect(engine.writeState(bias([5]))).rejects.toThrow(
      'Cannot restore state: "decoder.bias" must be float32 [4], got float32 [5]',
    );
    await expect(engine.writeState(bias([4], "int32"))).rejects.toThrow("must be float32 [4], got int32 [4]");
    await engine.dispose();
  });
});

test("tracing leaves the variables with their values and no tensor behind", () => {
  const { program } = setUp("two-players");
  const before = [...program.variables].map(([name, variable]) => [name, [...variable.dataSync()]]);
  const alive = tf.memory().numTensors;
  compileStep(program);
  expect([...program.variables].map(([name, variable]) => [name, [...variable.dataSync()]])).toEqual(before);
  expect(tf.memory().numTensors).toBe(alive);
});

test("a variable that is not of the networks is refused, not frozen in silence", () => {
  const { program } = setUp("one-phase");
  const stray = tf.tidy(() => tf.variable(tf.scalar(1), true, "stray"));
  const run: StepProgram["run"] = (inputs) => {
    const terms = program.run(inputs);
    return { ...terms, loss: tf.mul(terms.loss!, stray) as tf.Scalar };
  };
  expect(() => compileStep({ ...program, run })).toThrow('uses the variable "stray", which is not of its networks');
});
