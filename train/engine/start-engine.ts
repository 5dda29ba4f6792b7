import { availableParallelism } from "node:os";
import { devices } from "../../runtime/devices.ts";
import type { Device } from "../../runtime/session.ts";
import { UsageError } from "../../schemas/errors.ts";
import { chooseDevice } from "./choose-device.ts";
import { type CompiledStep, compileStep } from "./compile-step.ts";
import { createEagerEngine } from "./eager-engine.ts";
import type { Engine, Feeds } from "./engine.ts";
import { buildStep, type StepParts, type StepProgram } from "./step.ts";
import { type TfjsBackend, useBackend } from "./tfjs-backend.ts";
import { startThreadedEngine } from "./threaded-engine.ts";

export interface EngineChoice {
  readonly engine: "compiled" | "eager";
  /** Of the eager engine. */
  readonly backend: TfjsBackend;
  /** Of the compiled engine. */
  readonly device: Device | "auto";
  /** Threads inside an operator of the compiled engine; undefined: all cores. */
  readonly threads: number | undefined;
}

export interface StartedEngine {
  readonly engine: Engine;
  /** Scalar inputs of a step of the phase, counted from 0. */
  scalars(phaseStep: number): Feeds;
}

export interface StartContext {
  /** Data and noise of one step, to time devices with. */
  readonly sample: () => Feeds;
  readonly log: (message: string) => void;
}

/** Puts tfjs on the backend on which the networks are made: the CPU for the compiled engine, which only traces. */
export function prepareBackend({ engine, backend }: EngineChoice): Promise<void> {
  return useBackend(engine === "eager" ? backend : "cpu");
}

/** Threads that a run will really use, for its checkpoint: the sums inside an operator depend on them. */
export function threadCount({ engine, threads }: EngineChoice): number {
  return engine === "eager" ? 0 : (threads ?? availableParallelism());
}

/** Builds the step of a phase and starts an engine on it. The values of the networks are its initial state. */
export async function startEngine(
  parts: StepParts,
  choice: EngineChoice,
  context: StartContext,
): Promise<StartedEngine> {
  if (choice.engine === "eager") {
    const program = buildStep(parts);
    const engine = createEagerEngine(program);
    const dispose = async (): Promise<void> => program.dispose();
    return { engine: { ...engine, dispose }, scalars: scalarFeeds(program) };
  }
  const compiled = new Map<number, { step: CompiledStep; scalars: StartedEngine["scalars"] }>();
  const compileFor = (device: Device) => {
    const rows = rowsPerPass(parts, device);
    const known = compiled.get(rows) ?? compile({ ...parts, microBatch: rows });
    compiled.set(rows, known);
    return known;
  };
  const device =
    choice.device === "auto"
      ? await chooseDevice({
          compileFor: (candidate) => compileFor(candidate).step,
          feeds: { ...context.sample(), ...compileFor("cpu").scalars(0) },
          threads: choice.threads,
          log: context.log,
        })
      : choice.device;
  const { step, scalars } = compileFor(device);
  return { engine: await startThreadedEngine(step, { device, threads: choice.threads }), scalars };
}

function compile(parts: StepParts) {
  const program = buildStep(parts);
  try {
    return { step: compileStep(program), scalars: scalarFeeds(program) };
  } finally {
    program.dispose();
  }
}

/**
 * Rows per pass through a network inside a step, where the recipe leaves it open. On a CPU the intermediate results of
 * a few rows stay in its cache; a GPU wants the whole batch.
 */
export function rowsPerPass({ microBatch, batchSize }: StepParts, device: Device): number {
  if (microBatch > 0) return Math.min(microBatch, batchSize);
  return device === "cpu" ? Math.min(cpuRows, batchSize) : 0;
}

/**
 * Measured on the GK-VAE step 64x64, batch 128, two cores: 645 MiB resident with 32 rows against 889 with the whole
 * batch, and 600 ms of one processor's time against 653 to 794; 16 rows win nothing more and take 4 s longer to open.
 */
const cpuRows = 32;

function scalarFeeds(program: StepProgram): (phaseStep: number) => Feeds {
  return (phaseStep) =>
    Object.fromEntries(
      Object.entries(program.scalars(phaseStep)).map(([name, value]) => [
        name,
        { dtype: "float32" as const, shape: [], data: Float32Array.of(value) },
      ]),
    );
}

/** @throws UsageError that names the choices */
export function parseDeviceOrAuto(text: string): Device | "auto" {
  const known = ["auto", ...devices] as const;
  const found = known.find((device) => device === text);
  if (found !== undefined) return found;
  throw new UsageError(`Cannot train on device "${text}": it must be ${known.join(", ")}`, { code: "unknown_device" });
}
