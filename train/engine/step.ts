import "../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import type { TraceInput } from "../../export/traced-function.ts";
import { didYouMean } from "../../schemas/nearest.ts";
import type { InputSpec, Networks, NoiseSpec, Phase, Player, Tensors } from "../models/family.ts";
import { type Optimiser, optimiserOf } from "./optimisers.ts";

/** Everything that one training step of one phase needs, apart from the values. */
export interface StepParts {
  readonly phase: Phase;
  readonly networks: Networks;
  /** Batch inputs of the family, with `"batch"` as first dimension. */
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly noise: Readonly<Record<string, NoiseSpec>>;
  readonly batchSize: number;
  /** Rows per pass through a network; 0: the whole batch. */
  readonly microBatch: number;
  /** Steps of the phase, for schedules that end with it. */
  readonly phaseSteps: number;
}

/** A training step as a function that assigns `tf.Variable`s: call it (eager) or trace it (compiled). */
export interface StepProgram {
  readonly name: string;
  /** By graph input name: `batch/<name>`, `noise/<name>`, `scalar/<name>`, `optimiser/<player>/<name>`. */
  readonly inputs: Readonly<Record<string, TraceInput>>;
  /** All state: networks and optimiser slots, by variable name. */
  readonly variables: ReadonlyMap<string, tf.Variable>;
  /** One update of all variables. Returns every loss term by name, taken before the update. */
  run(inputs: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Scalar>;
  /** Values of the scalar inputs at a step of the phase, counted from 0. */
  scalars(phaseStep: number): Record<string, number>;
  /** Disposes the optimiser slots; the networks stay the caller's. */
  dispose(): void;
}

/** Schedule that multiplies a player's learning rate; kept from the losses. */
const rateSchedule = (player: string): string => `learning_rate.${player}`;

interface Trainer {
  readonly player: Player;
  readonly optimiser: Optimiser;
  readonly variables: readonly tf.Variable[];
  /** By parameter name, then slot name. */
  readonly slots: ReadonlyMap<string, Readonly<Record<string, tf.Variable>>>;
}

/**
 * Creates the optimiser slots (zero) and the step of a phase. The tfjs backend in use must hold the networks.
 *
 * @throws Error if a player trains nothing, two players train the same variable, or a variable's name is not its key
 */
export function buildStep(parts: StepParts): StepProgram {
  const { phase, networks, batchSize, phaseSteps } = parts;
  checkNetworks(networks);
  const trainers = trainersOf(phase, networks);
  const buffers = Object.values(networks).filter((variable) => !variable.trainable);
  const schedules = Object.entries(phase.scalars);
  const rates = new Set(phase.players.map(({ name }) => rateSchedule(name)));
  const shown = schedules.filter(([name]) => !rates.has(name));
  const stray = schedules.find(([name]) => name.startsWith("learning_rate.") && !rates.has(name));
  if (stray !== undefined) throw new Error(`Cannot build phase "${phase.name}": no player for schedule "${stray[0]}"`);

  function scalars(phaseStep: number): Record<string, number> {
    const values: Record<string, number> = {};
    for (const [name, schedule] of shown) values[`scalar/${name}`] = schedule(phaseStep, phaseSteps);
    for (const { player, optimiser } of trainers) {
      const rate = phase.scalars[rateSchedule(player.name)]?.(phaseStep, phaseSteps) ?? 1;
      for (const [name, value] of Object.entries(optimiser.scalars(phaseStep + 1, rate))) {
        values[`optimiser/${player.name}/${name}`] = value;
      }
    }
    return values;
  }

  function run(inputs: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Scalar> {
    const given = {
      batch: under("batch/", inputs),
      noise: under("noise/", inputs),
      scalars: under("scalar/", inputs),
      microBatch: parts.microBatch,
    };
    const losses = (): Record<string, tf.Scalar> => phase.losses(networks, given);
    return tf.tidy(() => {
      // All gradients are taken at the old parameters; only then does anything move.
      const { terms, gradients } = gradientsOf(trainers, { losses, buffers, phase });
      for (const [index, trainer] of trainers.entries()) {
        applyUpdate(trainer, gradients[index]!, under(`optimiser/${trainer.player.name}/`, inputs));
      }
      return terms;
    });
  }

  const slotVariables = trainers.flatMap(({ slots }) => [...slots.values()].flatMap((bySlot) => Object.values(bySlot)));
  const scalar: TraceInput = { shape: [], dtype: "float32" };
  return {
    name: `training step, phase ${phase.name}`,
    inputs: {
      ...prefixed("batch/", parts.inputs, ({ shape, dtype }) => ({
        shape: shape.map((size) => (size === "batch" ? batchSize : size)),
        dtype,
      })),
      ...prefixed("noise/", parts.noise, ({ shape }) => ({ shape, dtype: "float32" })),
      ...prefixed("", scalars(0), () => scalar),
    },
    variables: new Map([...Object.values(networks), ...slotVariables].map((variable) => [variable.name, variable])),
    run,
    scalars,
    dispose: () => tf.dispose(slotVariables),
  };
}

interface LossContext {
  readonly losses: () => Record<string, tf.Scalar>;
  readonly buffers: readonly tf.Variable[];
  readonly phase: Phase;
}

/** One forward and backward pass per player, all from the same parameters and buffers. */
function gradientsOf(trainers: readonly Trainer[], { losses, buffers, phase }: LossContext) {
  let terms: Record<string, tf.Scalar> = {};
  const gradients: tf.NamedTensorMap[] = [];
  // The loss may update buffers (moving averages). With several players it runs several times, but they move once.
  const old = trainers.length > 1 ? buffers.map((buffer) => tf.clone(buffer)) : [];
  for (const [index, { player, variables }] of trainers.entries()) {
    const moved = index > 0 ? buffers.map((buffer) => tf.clone(buffer)) : [];
    if (index > 0) assignAll(buffers, old);
    const { grads } = tf.variableGrads(() => {
      const found = losses();
      checkTerms(found, phase, player);
      // The gradient's own tidy would dispose all but the loss it differentiates.
      if (index === 0) terms = Object.fromEntries(Object.entries(found).map(([name, term]) => [name, tf.keep(term)]));
      return found[player.minimises]!;
    }, variables as tf.Variable[]);
    if (index > 0) assignAll(buffers, moved);
    const missing = variables.find(({ name }) => grads[name] === undefined || grads[name] === null);
    if (missing !== undefined) {
      throw new Error(
        `Cannot train "${missing.name}" in phase "${phase.name}": the term "${player.minimises}" must depend on it, got no gradient`,
      );
    }
    gradients.push(grads);
  }
  const copies = Object.fromEntries(Object.entries(terms).map(([name, term]) => [name, tf.clone(term)]));
  tf.dispose(terms);
  return { terms: copies, gradients };
}

function applyUpdate({ optimiser, variables, slots }: Trainer, gradients: tf.NamedTensorMap, scalars: Tensors): void {
  for (const variable of variables) {
    const own = slots.get(variable.name)!;
    const update = optimiser.update(variable, gradients[variable.name]!, own, scalars);
    for (const [slot, next] of Object.entries(update.slots)) own[slot]!.assign(next);
    variable.assign(update.parameter);
  }
}

function trainersOf(phase: Phase, networks: Networks): Trainer[] {
  const owner = new Map<string, string>();
  return phase.players.map((player) => {
    const optimiser = optimiserOf(player.optimiser);
    const variables = Object.values(networks).filter(
      ({ name, trainable }) => trainable && player.trains.some((prefix) => name.startsWith(prefix)),
    );
    const idle = player.trains.find((prefix) => !variables.some(({ name }) => name.startsWith(prefix)));
    if (idle !== undefined || variables.length === 0) {
      throw new Error(
        `Cannot build phase "${phase.name}": player "${player.name}" must train variables, got none under "${idle ?? ""}"`,
      );
    }
    for (const { name } of variables) {
      const other = owner.get(name);
      if (other !== undefined) {
        throw new Error(
          `Cannot build phase "${phase.name}": players "${other}" and "${player.name}" both train "${name}"`,
        );
      }
      owner.set(name, player.name);
    }
    const slots = new Map(variables.map((variable) => [variable.name, createSlots(optimiser, variable)]));
    return { player, optimiser, variables, slots };
  });
}

function createSlots(optimiser: Optimiser, { name, shape }: tf.Variable): Record<string, tf.Variable> {
  return Object.fromEntries(
    optimiser.slots.map((slot) => [slot, tf.tidy(() => tf.variable(tf.zeros(shape), false, `${slot}/${name}`))]),
  );
}

function checkNetworks(networks: Networks): void {
  for (const [key, { name }] of Object.entries(networks)) {
    if (key !== name)
      throw new Error(`Cannot build the training step: variable "${key}" must bear its key, got "${name}"`);
  }
}

function checkTerms(terms: Record<string, tf.Scalar>, phase: Phase, player: Player): void {
  for (const [name, term] of Object.entries(terms)) {
    if (term.rank !== 0) {
      throw new Error(
        `Cannot train phase "${phase.name}": term "${name}" must be a scalar, got shape [${term.shape.join(", ")}]`,
      );
    }
  }
  if (terms[player.minimises] === undefined) {
    throw new Error(
      `Cannot train phase "${phase.name}": player "${player.name}" minimises "${player.minimises}", which is no term${didYouMean(player.minimises, Object.keys(terms))}`,
    );
  }
}

function assignAll(variables: readonly tf.Variable[], values: readonly tf.Tensor[]): void {
  for (const [index, variable] of variables.entries()) variable.assign(values[index]!);
}

function under(prefix: string, inputs: Tensors): Record<string, tf.Tensor> {
  const own = Object.entries(inputs).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

function prefixed<From, To>(
  prefix: string,
  entries: Readonly<Record<string, From>>,
  map: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(entries).map(([name, value]) => [prefix + name, map(value)]));
}
