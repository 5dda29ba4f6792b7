import type * as tf from "@tensorflow/tfjs-core";
import type { OptimiserConfig } from "../../schemas/recipe.ts";

/**
 * The face that every model family of the papers shows, so that CLI, engine, export, server, demo and batch scoring
 * never ask which one they hold. Everything here is tfjs on tensors: it runs eagerly on any tfjs backend and can be
 * traced into ONNX. No function reads a tensor back and none draws random numbers: noise is an input.
 */

export type Tensors = Readonly<Record<string, tf.Tensor>>;

/**
 * All parameters and buffers of a model by dotted name, for instance `encoder_1.conv_1.kernel`. Each variable bears its
 * key as its own tfjs name; buffers (moving averages) are created with `trainable: false`.
 */
export type Networks = Readonly<Record<string, tf.Variable>>;

export type InputDtype = "float32" | "int32" | "uint8" | "bool";

export interface InputSpec {
  /** `"batch"` marks the batch dimension, which stays symbolic in exported files. */
  readonly shape: readonly (number | "batch")[];
  /** `uint8` inputs are seen by tfjs as int32 tensors; the graph's own input is uint8. */
  readonly dtype: InputDtype;
  readonly description: string;
  /** Smallest and largest value that means something: the classes of a label. Whoever serves the task refuses others. */
  readonly range?: readonly [number, number];
}

export interface OutputSpec {
  readonly description: string;
  /** `nats`, `bits`, `uint8 intensity`, `1` (dimensionless), ... */
  readonly unit: string;
  /** Names along the last axis, for instance the latent dimensions. */
  readonly names?: readonly string[];
  /**
   * What rounding is relative to at least, where all values can come close to 0: 2 for a distance of two distributions, 1
   * for a cross-entropy or a picture, which may be black. The export compares runtimes on this scale.
   */
  readonly scale?: number;
}

export interface NoiseSpec {
  readonly shape: readonly number[];
  /** `permutation`: along the last axis an order of 0 .. n - 1, uniformly random. */
  readonly distribution: "normal" | "uniform" | "gumbel" | "permutation";
}

/**
 * A scalar that changes with the step; the host computes it and feeds it to the step. Pure.
 * `step` counts from 0 at the first step of the phase, `steps` is how many the phase has: for families of several
 * phases only, since a run of one phase may be made longer. The name `learning_rate.<player>` is special: it multiplies
 * that player's learning rate and is not shown to the losses.
 */
export type Schedule = (step: number, steps: number) => number;

export interface LossInputs {
  readonly batch: Tensors;
  readonly noise: Tensors;
  readonly scalars: Tensors;
  /** Rows per pass through a network (`inChunks` of train/engine/in-chunks.ts); absent or 0: the whole batch. */
  readonly microBatch?: number;
}

/** One optimiser over some of the variables. Most phases have one; FactorVAE has two in one step. */
export interface Player {
  readonly name: string;
  /** Name prefixes of the variables that it trains, for instance `["encoder_1.", "decoder_1."]`. */
  readonly trains: readonly string[];
  /** The loss term that it minimises. */
  readonly minimises: string;
  readonly optimiser: OptimiserConfig;
}

export interface Phase {
  readonly name: string;
  /** Share of the run's steps that this phase takes; the shares of all phases sum to 1. */
  readonly share: number;
  readonly players: readonly Player[];
  readonly scalars: Readonly<Record<string, Schedule>>;
  /** Every term by name, as scalars, in nats per example unless the name ends in another unit. */
  losses(networks: Networks, inputs: LossInputs): Record<string, tf.Scalar>;
}

export interface TaskSpec {
  readonly description: string;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly outputs: Readonly<Record<string, OutputSpec>>;
  run(networks: Networks, inputs: Tensors): Record<string, tf.Tensor>;
}

/** A block of the representation: what `encode` returns under `<name>_mean`, and where each dimension stands. */
export interface LatentBlock {
  /** `latent`: the one block of a family that sees one view. */
  readonly name: "common" | "unique_1" | "unique_2" | "latent";
  readonly dimensions: readonly string[];
}

export interface ModelFamily<Config> {
  readonly name: string;
  /** Fresh variables, initialised from `seed`. The caller owns and disposes them. */
  networks(config: Config, seed: number): Networks;
  /** Batch inputs of the training step by name, with "batch" as first dimension. */
  inputs(config: Config): Readonly<Record<string, InputSpec>>;
  noise(config: Config, batchSize: number): Readonly<Record<string, NoiseSpec>>;
  phases(config: Config): readonly Phase[];
  latents(config: Config): readonly LatentBlock[];
  tasks(config: Config): Readonly<Record<string, TaskSpec>>;
}
