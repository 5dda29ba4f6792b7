import * as tf from "@tensorflow/tfjs-core";
import { type Disk, realDisk } from "../../files/disk.ts";
import type { Device } from "../../runtime/session.ts";
import type { Recipe } from "../../schemas/recipe.ts";
import type { PairSource } from "../data/pair-source.ts";
import type { ModelFamily, Networks } from "../models/family.ts";
import { createBatches } from "./batches.ts";
import { type Checkpoint, loadLatestCheckpoint } from "./checkpoint.ts";
import { requireSameConfiguration } from "./configuration.ts";
import type { Engine, Feeds, State } from "./engine.ts";
import { planPhases, type Span } from "./plan.ts";
import { openRunFolder, type RunFolder } from "./run-folder.ts";
import { RunRecord, type Terms } from "./run-record.ts";
import { setNetworks } from "./set-networks.ts";
import { type EngineChoice, prepareBackend, type StartedEngine, startEngine, threadCount } from "./start-engine.ts";
import type { TfjsBackend } from "./tfjs-backend.ts";

export interface TrainingProgress {
  readonly step: number;
  readonly steps: number;
  readonly phase: string;
  /** Of this step, nats per example unless a name says otherwise. */
  readonly terms: Terms;
  /** Terms that the players of the phase minimise. */
  readonly minimised: readonly string[];
}

export interface TrainingRequest {
  readonly recipe: Recipe;
  readonly family: ModelFamily<unknown>;
  readonly source: PairSource;
  /** Run folder. */
  readonly outDir: string;
  /** Go on from the newest checkpoint in `outDir`. */
  readonly resume?: boolean;
  /** Replace a run that is in `outDir`. */
  readonly force?: boolean;
  /** Default `compiled`. */
  readonly engine?: "compiled" | "eager";
  /** tfjs backend of the eager engine; default `cpu`. */
  readonly backend?: TfjsBackend;
  /** Device of the compiled engine; default `auto`. */
  readonly device?: Device | "auto";
  readonly threads?: number;
  /** After every step. */
  readonly onProgress?: (progress: TrainingProgress) => void;
  /** Lines for people: the device that was chosen, warnings. */
  readonly log?: (message: string) => void;
  /** When it aborts, the step in work is finished and saved. */
  readonly signal?: AbortSignal;
  readonly disk?: Disk;
}

export interface TrainingResult {
  readonly status: "finished" | "interrupted";
  readonly step: number;
  readonly steps: number;
  /** Training time over all sessions of the run. */
  readonly seconds: number;
  readonly device: string;
  readonly outDir: string;
  /** Of the last step; empty if this call did none. */
  readonly terms: Terms;
}

/**
 * Trains a recipe into a run folder: phases in order, metrics, checkpoints. Run, killed at any moment and resumed, it
 * ends with the very values of a run that was left alone (same device and thread count). One run at a time in a process.
 *
 * @throws UsageError for a folder that holds another run, or a checkpoint of another configuration
 * @throws FailureError when a loss term or a variable is no longer finite, the disk is full, a device does not start,
 *   or the folder is in use; the last good checkpoint stays
 */
export async function runTraining(request: TrainingRequest): Promise<TrainingResult> {
  const { recipe, family, outDir, resume = false, force = false, disk = realDisk, log = ignore } = request;
  const spans = planPhases(family.phases(recipe.model), recipe.training.steps);
  const folder = await openRunFolder(outDir, { resume, force, disk });
  let run: Run | undefined;
  try {
    const checkpoint = folder.existed ? await loadLatestCheckpoint(outDir, log) : undefined;
    if (checkpoint !== undefined) {
      const phases = spans.map(({ phase }) => phase);
      requireSameConfiguration(checkpoint.state, recipe, { folder: outDir, phases });
    }
    const choice = choiceOf(request, checkpoint);
    const record = await RunRecord.open({ ...choice, threads: threadCount(choice), folder, recipe, disk, checkpoint });
    run = {
      request,
      choice,
      folder,
      record,
      draw: batchesOf(request),
      networks: await networksOf(request, choice),
      checkpoint,
    };
    if (checkpoint !== undefined) setNetworks(run.networks, checkpoint.values, missingState);
    for (const span of spans) await trainPhase(run, span);
    return await finish(run, spans);
  } catch (error) {
    // The first error is the one to tell: a full disk may well refuse run.json, too.
    await run?.record.writeStatus("failed", error instanceof Error ? error.message : String(error)).catch(ignore);
    throw error;
  } finally {
    await run?.record.close();
    if (run !== undefined) tf.dispose(Object.values(run.networks));
    // A run that never came to its first step leaves nothing behind.
    if (!folder.existed && (run === undefined || run.record.step === 0)) await folder.discard();
    else folder.release();
  }
}

interface Run {
  readonly request: TrainingRequest;
  readonly choice: EngineChoice;
  readonly folder: RunFolder;
  readonly record: RunRecord;
  /** Batch and noise of a step, counted from 1. */
  readonly draw: (step: number) => Feeds;
  readonly networks: Networks;
  checkpoint: Checkpoint | undefined;
  terms?: Terms;
}

/** Trains one phase from where the run stands. Does nothing for a phase that is over. */
async function trainPhase(run: Run, span: Span): Promise<void> {
  const { record, draw } = run;
  if (record.step >= span.end || isAborted(run)) return;
  const { engine, scalars } = await start(run, span);
  let running: Promise<Terms> | undefined;
  try {
    await begin(run, span, engine);
    let feeds = draw(record.step + 1);
    while (record.step < span.end && !isAborted(run)) {
      running = engine.step({ ...feeds, ...scalars(record.step - span.begin) });
      running.catch(ignore); // awaited below; drawing may throw first
      if (record.step + 1 < span.end) feeds = draw(record.step + 2); // meanwhile: the step runs on a thread of its own
      const terms = await running;
      record.step++;
      if (record.step === 1) await run.folder.begun();
      await record.note(terms, span.phase.name);
      tell(run, span, terms);
      if (isTimeToSave(run, span)) await record.save(await engine.readState(), span.phase.name);
    }
    setNetworks(run.networks, await engine.readState(), missingState);
  } finally {
    record.clock.stop();
    await running?.catch(ignore); // the engine does one thing at a time
    await engine.dispose();
  }
}

async function start(run: Run, span: Span): Promise<StartedEngine> {
  const { request, record, networks } = run;
  const { recipe, family, log = ignore } = request;
  // Once chosen, a device is kept, through all phases and when the run is resumed: another one rounds differently.
  const device = run.choice.device === "auto" && record.device !== "" ? (record.device as Device) : run.choice.device;
  const parts = {
    phase: span.phase,
    networks,
    inputs: family.inputs(recipe.model),
    noise: family.noise(recipe.model, recipe.training.batchSize),
    batchSize: recipe.training.batchSize,
    microBatch: recipe.training.microBatch,
    phaseSteps: span.end - span.begin,
  };
  const sample = (): Feeds => run.draw(record.step + 1);
  const started = await startEngine(parts, { ...run.choice, device }, { sample, log });
  record.device = started.engine.device;
  return started;
}

/** A phase begins with fresh optimiser slots; only one that was left in its middle has some to go on with. */
async function begin(run: Run, span: Span, engine: Engine): Promise<void> {
  const { record, checkpoint, networks } = run;
  if (checkpoint !== undefined && record.step > span.begin) {
    await engine.writeState(slotsOf(checkpoint.values, networks));
  }
  run.checkpoint = undefined;
  await record.writeStatus("running");
  record.clock.start(record.step);
}

async function finish({ request, record, terms = {} }: Run, spans: readonly Span[]): Promise<TrainingResult> {
  const steps = spans.at(-1)!.end;
  const status = record.step < steps ? "interrupted" : "finished";
  if (record.step > 0) await record.writeStatus(status);
  return {
    status,
    step: record.step,
    steps,
    seconds: record.clock.seconds,
    device: record.device,
    terms,
    outDir: request.outDir,
  };
}

/** At the end of a phase always: Ctrl-C while the next one is compiled must lose nothing. */
function isTimeToSave(run: Run, span: Span): boolean {
  const { step } = run.record;
  return step % run.request.recipe.training.checkpointEvery === 0 || step === span.end || isAborted(run);
}

function isAborted({ request }: Run): boolean {
  return request.signal?.aborted ?? false;
}

function tell(run: Run, { phase }: Span, terms: Terms): void {
  run.terms = terms;
  const { step } = run.record;
  const minimised = phase.players.map((player) => player.minimises);
  run.request.onProgress?.({ step, steps: run.request.recipe.training.steps, phase: phase.name, terms, minimised });
}

function choiceOf(request: TrainingRequest, checkpoint: Checkpoint | undefined): EngineChoice {
  const { engine = "compiled", backend = "cpu", device = "auto", threads, log = ignore } = request;
  const choice: EngineChoice = { engine, backend, device, threads };
  if (checkpoint === undefined) return choice;
  const { state } = checkpoint;
  const now = { engine, threads: threadCount(choice), device: device === "auto" ? state.device : device };
  const changed = (["engine", "threads", ...(engine === "compiled" ? ["device" as const] : [])] as const).filter(
    (key) => now[key] !== state[key],
  );
  if (changed.length > 0) {
    const how = changed.map((key) => `${key} ${state[key]} before, ${now[key]} now`).join("; ");
    log(`Resuming from step ${state.step} on other terms (${how}): the values will differ in their last bits`);
  } else log(`Resuming from step ${state.step}`);
  // A device chosen for the compiled engine means nothing to a checkpoint of the eager one, and vice versa.
  return engine === state.engine || device !== "auto" ? choice : { ...choice, device: "cpu" };
}

function batchesOf({ recipe, family, source }: TrainingRequest): (step: number) => Feeds {
  const { batchSize, seed } = recipe.training;
  const inputs = Object.keys(family.inputs(recipe.model));
  return createBatches({ source, inputs, noise: family.noise(recipe.model, batchSize), seed, batchSize });
}

async function networksOf({ recipe, family }: TrainingRequest, choice: EngineChoice): Promise<Networks> {
  await prepareBackend(choice);
  return family.networks(recipe.model, recipe.training.seed);
}

/** Said of a state that another program has written. */
const missingState = (name: string): string => `Cannot restore state: "${name}" must be in it, got none`;

function slotsOf(values: State, networks: Networks): State {
  return new Map([...values].filter(([name]) => networks[name] === undefined));
}

function ignore(): void {}
