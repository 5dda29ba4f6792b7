import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, test } from "vitest";
import { buildStep, type StepProgram } from "../../../train/engine/step.ts";
import type { LossInputs, Networks, Phase, Player } from "../../../train/models/family.ts";

/** Two scalar parameters a and b, a buffer, and losses simple enough to differentiate by hand. */

beforeAll(async () => {
  await tf.setBackend("cpu");
});

afterEach(() => {
  tf.disposeVariables();
});

const descent = { kind: "sgd", learningRate: 0.1, momentum: 0, weightDecay: 0 } as const;
const player = (name: string, trains: string[], minimises: string): Player => ({
  name,
  trains,
  minimises,
  optimiser: descent,
});

function networks(): Networks {
  return {
    "left.a": variable("left.a", 2),
    "right.b": variable("right.b", 3),
    "left.count": variable("left.count", 0, false),
  };
}

function variable(name: string, value: number, trainable = true): tf.Variable {
  return tf.tidy(() => tf.variable(tf.scalar(value), trainable, name));
}

/** One descends ab + a, the other ab: each gradient depends on the other's parameter. */
function losses(values: Networks, { scalars }: LossInputs): Record<string, tf.Scalar> {
  const product = tf.mul(values["left.a"]!, values["right.b"]!) as tf.Scalar;
  values["left.count"]!.assign(tf.add(values["left.count"]!, 1));
  const scaled = scalars.weight === undefined ? product : (tf.mul(product, scalars.weight) as tf.Scalar);
  return { product: scaled, sum: tf.add(scaled, values["left.a"]!) as tf.Scalar };
}

function build(parts: Partial<Phase> & Pick<Phase, "players">, values = networks()): StepProgram {
  const phase: Phase = { name: "game", share: 1, scalars: {}, losses, ...parts };
  return buildStep({ phase, networks: values, inputs: {}, noise: {}, batchSize: 1, microBatch: 0, phaseSteps: 10 });
}

/** One step; terms and variables after it as numbers. */
function take(program: StepProgram, phaseStep = 0): { terms: Record<string, number>; state: Record<string, number> } {
  const scalars = Object.entries(program.scalars(phaseStep)).map(([name, value]) => [name, tf.scalar(value)] as const);
  const terms = program.run(Object.fromEntries(scalars));
  const numbers = Object.entries(terms).map(([name, term]) => [name, term.dataSync()[0]!] as const);
  tf.dispose([terms, scalars.map(([, tensor]) => tensor)]);
  const state = [...program.variables].map(([name, variable]) => [name, variable.dataSync()[0]!] as const);
  return { terms: Object.fromEntries(numbers), state: Object.fromEntries(state) };
}

test("both players move by their gradients at the old parameters", () => {
  const program = build({ players: [player("min", ["left."], "sum"), player("max", ["right."], "product")] });
  const { terms, state } = take(program);
  expect(terms).toEqual({ product: 6, sum: 8 });
  expect(state["left.a"]).toBeCloseTo(2 - 0.1 * (3 + 1), 6); // d(ab + a)/da at b = 3
  expect(state["right.b"]).toBeCloseTo(3 - 0.1 * 2, 6); // d(ab)/db at a = 2, not at the new a = 1.6
});

test("a buffer moves once a step, however many players look at the loss", () => {
  const program = build({ players: [player("min", ["left."], "sum"), player("max", ["right."], "product")] });
  expect(take(program).state["left.count"]).toBe(1);
  expect(take(program).state["left.count"]).toBe(2);
});

test("variables that no player trains stay as they are", () => {
  const { state } = take(build({ players: [player("only", ["left."], "product")] }));
  expect(state["right.b"]).toBe(3);
  expect(state["left.a"]).toBeCloseTo(1.7, 6);
});

test("a schedule reaches the losses, one of the learning rate does not", () => {
  const scalars = { weight: (step: number) => 10 ** step, "learning_rate.only": (step: number) => step };
  const program = build({ players: [player("only", ["left."], "product")], scalars });
  expect(Object.keys(program.inputs).sort()).toEqual(["optimiser/only/step_size", "scalar/weight"]);
  expect(program.scalars(2)).toEqual({ "scalar/weight": 100, "optimiser/only/step_size": 0.2 });
  const first = take(program, 0);
  expect(first.terms.product).toBe(6);
  expect(first.state["left.a"]).toBe(2); // rate 0.1 x 0
  const second = take(program, 1);
  expect(second.terms.product).toBe(60);
  expect(second.state["left.a"]).toBeCloseTo(2 - 0.1 * 30, 5);
});

test("a schedule knows the steps of its phase", () => {
  const scalars = { weight: (step: number, steps: number) => step / steps };
  const program = build({ players: [player("only", ["left."], "product")], scalars });
  expect(program.scalars(5)["scalar/weight"]).toBe(0.5);
});

test("optimiser slots are state of their own, zero at first, and leave with the program", () => {
  const adam = { kind: "adam", learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
  const before = tf.memory().numTensors;
  const values = networks();
  const program = build({ players: [{ ...player("only", ["left."], "product"), optimiser: adam }] }, values);
  expect([...program.variables.keys()]).toEqual([...Object.keys(values), "adam.m/left.a", "adam.v/left.a"]);
  const { state } = take(program);
  expect(state["adam.m/left.a"]).toBeCloseTo(0.1 * 3, 6);
  expect(state["adam.v/left.a"]).toBeCloseTo(0.001 * 9, 6);
  program.dispose();
  expect(tf.memory().numTensors).toBe(before + 3);
});

test("a step leaves only its terms alive", () => {
  const program = build({ players: [player("min", ["left."], "sum"), player("max", ["right."], "product")] });
  const before = tf.memory().numTensors;
  for (let i = 0; i < 3; i++) take(program);
  expect(tf.memory().numTensors).toBe(before);
});

test("a trained variable on which the term does not depend is a defect that is named", () => {
  const program = build({
    players: [player("only", [""], "a")],
    losses: (values) => ({ a: tf.square(values["left.a"]!) as tf.Scalar }),
  });
  expect(() => take(program)).toThrow('Cannot train "right.b" in phase "game": the term "a" must depend on it');
  tf.disposeVariables();
});

test.each([
  [
    "a term that does not exist",
    [player("p", ["left."], "summ")],
    'minimises "summ", which is no term, did you mean "sum"?',
  ],
  ["a prefix that no variable has", [player("p", ["left.", "middle."], "sum")], 'got none under "middle."'],
  ["a player without variables", [player("p", [], "sum")], 'player "p" must train variables'],
  [
    "two players for one variable",
    [player("p", ["left."], "sum"), player("q", ["l"], "sum")],
    'players "p" and "q" both train "left.a"',
  ],
])("%s is a defect of the family that is named", (_what, players, message) => {
  expect(() => take(build({ players }))).toThrow(message);
});

test("a variable that does not bear its key, a term that is no scalar, a schedule without player are defects", () => {
  const values = { "left.a": variable("other", 1) };
  expect(() => build({ players: [] }, values)).toThrow('variable "left.a" must bear its key, got "other"');
  const vector = () => ({ sum: tf.ones([2]) as unknown as tf.Scalar });
  expect(() => take(build({ players: [player("p", ["left."], "sum")], losses: vector }))).toThrow(
    'term "sum" must be a scalar, got shape [2]',
  );
  tf.disposeVariables();
  expect(() => build({ players: [], scalars: { "learning_rate.q": () => 1 } })).toThrow(
    'no player for schedule "learning_rate.q"',
  );
});
