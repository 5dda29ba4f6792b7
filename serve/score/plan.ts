import { createHash } from "node:crypto";
import { type FileHandle, open, readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import type { Device } from "../../runtime/session.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import type { TensorSpec } from "../../schemas/manifest.ts";
import { type ScoreMapping, type ScorePlan, type ScoreSource, scorePlanSchema } from "../../schemas/score-plan.ts";
import { elementCount } from "../../schemas/tensor.ts";
import { validate } from "../../schemas/validate.ts";
import { findTask, type ScoredTask } from "./bundle.ts";
import { type Dataset, openDataset } from "./dataset.ts";
import { type NamedTable, resolveMapping } from "./mapping.ts";
import type { OutputShape } from "./part-table.ts";
import type { Place } from "./place.ts";
import { expandFolders, openTable, type Source } from "./tables/open-table.ts";

export interface ScoreRequest {
  readonly bundle: string;
  readonly task: string;
  readonly sources: readonly Source[];
  readonly mapping: ScoreMapping;
  readonly device: Device;
  readonly batch: number;
  /** Rows a part; undefined: as many as make a few MiB. */
  readonly partRows: number | undefined;
  readonly seed: number;
  readonly partial: boolean;
  readonly resize: boolean;
}

/** A plan with its data and model at hand. */
export interface OpenedPlan {
  readonly plan: ScorePlan;
  /** SHA-256 of what decides the output: two plans with the same one make the same parts. */
  readonly identity: string;
  readonly task: ScoredTask;
  readonly dataset: Dataset;
  readonly shape: OutputShape;
}

const PART_BYTES = 4 << 20;
const [FEWEST_ROWS, MOST_ROWS] = [256, 16_384];

/** Reads headers, ids and the manifest, and settles everything before the first row. @throws UsageError, FailureError */
export function makePlan(request: ScoreRequest, place: Place): Promise<OpenedPlan> {
  return settle(request, place, undefined);
}

/** @param columns of every input, where a plan has settled them before */
async function settle(
  request: ScoreRequest,
  place: Place,
  columns: ScorePlan["inputs"] | undefined,
): Promise<OpenedPlan> {
  const { mapping, resize, partial, batch, seed, device } = request;
  const task = await findTask(request.bundle, request.task, { partial });
  const sources = await expandFolders(request.sources);
  const tables = await openTables(sources);
  try {
    const views = { needed: task.model.spec.inputs, welcome: task.otherViews };
    const inputs = columns ?? resolveMapping(tables, { ...views, mapping, resize });
    const dataset = await openDataset(tables, { id: mapping.id, inputs });
    if (place.format === "png" && !dataset.uniqueIds) {
      throw new UsageError(
        "Cannot score: pictures are files called by id, which must not occur twice, got the ids of a column; without --id they are called by the rows' numbers",
        { code: "bad_id" },
      );
    }
    const outputs = outputsOf(task, place);
    const rowBytes = outputs.reduce((sum, { shape }) => sum + 4 * elementCount(shape.slice(1)), 16);
    const plan: ScorePlan = {
      format: 1,
      bundle: task.folder,
      model: task.model.bundle.name,
      task: request.task,
      tasks: Object.fromEntries([task.model, ...task.standIns].map((model) => [model.task, model.spec.sha256])),
      sources: await Promise.all(sources.map(describe)),
      ...(mapping.id === undefined ? {} : { id: mapping.id }),
      inputs,
      rows: dataset.rows,
      partRows: request.partRows ?? defaultPartRows(rowBytes),
      batch,
      seed,
      partial,
      resize,
      device,
      output: place.format,
    };
    return { plan, identity: identityOf(plan), task, dataset, shape: shapeOf(task, { dataset, outputs, inputs }) };
  } catch (error) {
    for (const { table } of tables) await table.close();
    throw error;
  }
}

/** Opens what a plan on disk names, on this machine. @throws FailureError where inputs or model are not what they were */
export async function openPlan(plan: ScorePlan, place: Place): Promise<OpenedPlan> {
  const mapping: ScoreMapping = { ...(plan.id === undefined ? {} : { id: plan.id }), inputs: {} };
  const sources = plan.sources.map(({ name, path: file }) => ({ name, path: file }));
  const opened = await settle({ ...plan, sources, mapping }, place, plan.inputs);
  const wanted = identityOf(plan);
  if (opened.identity !== wanted) {
    await opened.dataset.close();
    throw new FailureError(`Cannot score parts: ${difference(plan, opened.plan)}`, { code: "changed" });
  }
  return opened;
}

export async function readPlan(file: string): Promise<ScorePlan> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    const { code } = cause as NodeJS.ErrnoException;
    throw new UsageError(`Cannot read plan "${file}": it must be a readable file, got ${code}`, {
      code: "no_plan",
      cause,
    });
  });
  try {
    return validate(scorePlanSchema, JSON.parse(text), `read plan "${file}"`);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new FailureError(`Cannot read plan "${file}": it must be JSON, got ${cause.message}`, { cause });
  }
}

/** Where things lie does not decide the output; what they are does. */
export function identityOf(plan: ScorePlan): string {
  const { bundle: _bundle, sources, ...rest } = plan;
  const content = { ...rest, sources: sources.map(({ name, bytes, sample }) => ({ name, bytes, sample })) };
  return createHash("sha256")
    .update(JSON.stringify(sorted(content)))
    .digest("hex");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]));
}

/** What differs between two plans, in words. */
export function difference(before: ScorePlan, now: ScorePlan): string {
  const changed = (Object.keys({ ...before, ...now }) as (keyof ScorePlan)[]).filter(
    (key) =>
      key !== "bundle" && key !== "sources" && JSON.stringify(sorted(before[key])) !== JSON.stringify(sorted(now[key])),
  );
  const files = now.sources
    .filter(({ sample }, k) => before.sources[k]?.sample !== sample)
    .map(({ path: file }) => file);
  const what = [
    ...changed.map((key) => `${key} ${JSON.stringify(before[key])}`),
    ...files.map((file) => `the content of "${file}"`),
  ];
  const actual = changed.map((key) => JSON.stringify(now[key]));
  return `the run must have ${what.join(" and ") || "the same sources"} as it began, got ${[...actual, ...files.map(() => "another")].join(" and ") || "others"}`;
}

async function openTables(sources: readonly Source[]): Promise<NamedTable[]> {
  const tables: NamedTable[] = [];
  try {
    for (const source of sources) tables.push({ ...source, table: await openTable(source.path) });
    return tables;
  } catch (error) {
    for (const { table } of tables) await table.close();
    throw error;
  }
}

/** Outputs that the format can hold. @throws UsageError for pictures where there are none */
function outputsOf({ model }: ScoredTask, place: Place): TensorSpec[] {
  if (place.format !== "png") return model.spec.outputs;
  const pictures = model.spec.outputs.filter(isPicture);
  if (pictures.length > 0) return pictures;
  const names = model.spec.outputs.map(({ name, shape }) => `${name} [${shape.slice(1).join(", ")}]`).join(", ");
  throw new UsageError(`Cannot score: --format png needs a task whose outputs are pictures, got ${names}`, {
    code: "no_pictures",
  });
}

/** [height, width, channels] of intensities from 0 to 1. */
function isPicture({ dtype, shape, unit = "" }: TensorSpec): boolean {
  return dtype === "float32" && shape.length === 4 && [1, 3].includes(shape[3]!) && unit.startsWith("intensity");
}

function shapeOf(
  { model, standIns }: ScoredTask,
  { dataset, outputs, inputs }: { dataset: Dataset; outputs: readonly TensorSpec[]; inputs: ScorePlan["inputs"] },
): OutputShape {
  const views = Object.keys(inputs).filter((name) => /^view_\d+$/.test(name));
  const always = (name: string): boolean =>
    standIns.every(({ spec }) => spec.outputs.some((output) => output.name === name));
  const names = outputs.map(({ name }) => name);
  if (new Set(names).size !== names.length || names.includes("id")) {
    throw new FailureError(
      `Cannot score ${model.task}: its outputs must have names of their own, got ${names.join(", ")}`,
    );
  }
  return {
    integerIds: dataset.integerIds,
    masks: dataset.gaps && views.length > 1 ? views.map((name) => `has_${name}`) : [],
    tensors: outputs.map((spec) => ({ spec, optional: !always(spec.name) })),
  };
}

function defaultPartRows(rowBytes: number): number {
  const fitting = 2 ** Math.floor(Math.log2(PART_BYTES / rowBytes));
  return Math.min(MOST_ROWS, Math.max(FEWEST_ROWS, fitting));
}

const SAMPLES = 64;
const SAMPLE_BYTES = 16_384;

async function describe({ name, path: source }: Source): Promise<ScoreSource> {
  const absolute = path.resolve(source);
  const stats = await stat(absolute);
  const named = name === undefined ? {} : { name };
  if (stats.isDirectory()) return { ...named, path: absolute, ...(await describeFolder(absolute)) };
  const hash = createHash("sha256").update(String(stats.size));
  const handle = await open(absolute, "r");
  try {
    for (let k = 0; k < SAMPLES; k++) {
      const at = Math.floor((k * Math.max(0, stats.size - SAMPLE_BYTES)) / (SAMPLES - 1));
      hash.update(await piece(handle, at));
    }
  } finally {
    await handle.close();
  }
  return {
    ...named,
    path: absolute,
    bytes: stats.size,
    sample: hash.digest("hex"),
  };
}

async function piece(handle: FileHandle, at: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(SAMPLE_BYTES), 0, SAMPLE_BYTES, at);
  return buffer.subarray(0, bytesRead);
}

/** Names and sizes of the pictures. */
async function describeFolder(folder: string): Promise<{ bytes: number; sample: string }> {
  const names = (await readdir(folder)).filter((name) => name.toLowerCase().endsWith(".png")).sort();
  const hash = createHash("sha256");
  let bytes = 0;
  for (const name of names) {
    const { size } = await stat(path.join(folder, name)).catch(() => ({ size: 0 })); // a link that leads nowhere
    bytes += size;
    hash.update(`${name}\n${size}\n`);
  }
  return { bytes, sample: hash.digest("hex") };
}
