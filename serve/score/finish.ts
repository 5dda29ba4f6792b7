import { mkdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { replaceFile } from "../../files/replace-folder.ts";
import type { TensorSpec } from "../../schemas/manifest.ts";
import { type ScoreManifest, type ScorePart, scoreManifestSchema } from "../../schemas/score-manifest.ts";
import { validate } from "../../schemas/validate.ts";
import { OutputFile } from "./formats/output-file.ts";
import { loadFormat } from "./formats/load-format.ts";
import type { Place } from "./place.ts";
import type { OpenedPlan } from "./plan.ts";
import { intervalMethod, summarise } from "./summary.ts";
import { partPaths, readParts, removeWork } from "./work-folder.ts";

/** Number of parts of a plan. */
export function countParts({ rows, partRows }: { rows: number; partRows: number }): number {
  return Math.ceil(rows / partRows);
}

/**
 * Puts the parts together: output, rejected rows, and last the manifest, which says that the run is finished; then the
 * work folder goes. Killed at any point it can be called again.
 *
 * @param hashes SHA-256 of the inputs by path; left out where they were not asked for
 * @throws FailureError where parts are missing
 */
export async function finishRun(
  opened: OpenedPlan,
  place: Place,
  hashes: ReadonlyMap<string, string>,
): Promise<ScoreManifest> {
  const { plan, identity } = opened;
  const parts = await readParts(place, { parts: countParts(plan), identity });
  await mkdir(path.dirname(place.file), { recursive: true });
  const written = await assemble(opened, place, parts);
  await assembleRejects(place, parts);
  const manifest = validate(
    scoreManifestSchema,
    {
      format: 1,
      model: { name: plan.model, tasks: plan.tasks },
      task: plan.task,
      plan: identity,
      inputs: plan.sources.map(({ path: file, bytes, sample }) => {
        const sha256 = hashes.get(file);
        return { file: path.basename(file), bytes, sample, ...(sha256 === undefined ? {} : { sha256 }) };
      }),
      columns: Object.fromEntries(
        Object.entries(plan.inputs).map(([input, { source, columns }]) => {
          const shown =
            columns.length > 3 ? `${columns[0]} ... ${columns.at(-1)} (${columns.length})` : columns.join(", ");
          return [input, `${path.basename(plan.sources[source]!.path)}: ${shown}`];
        }),
      ),
      rows: { read: plan.rows, written: total(parts, "written"), rejected: total(parts, "rejected") },
      parts: { count: parts.length, rows: plan.partRows },
      output: { file: path.basename(place.file), format: place.format, ...written, columns: describeColumns(opened) },
      summary: summarise(
        parts.map(({ sums }) => sums),
        opened.task.model.spec.outputs,
      ),
      intervals: intervalMethod,
      settings: { batch: plan.batch, seed: plan.seed, partial: plan.partial, resize: plan.resize },
      provider: plan.device,
      versions: versions(),
    } satisfies ScoreManifest,
    "write score manifest",
  );
  await replaceFile(place.manifest, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`, "utf8"));
  await removeWork(place);
  return manifest;
}

async function assemble(
  { plan, shape }: OpenedPlan,
  place: Place,
  parts: readonly ScorePart[],
): Promise<{ bytes: number; sha256: string }> {
  const format = await loadFormat(plan.output);
  const target = await OutputFile.create(place.file, place.work);
  try {
    const files = parts.map(({ part, bytes, written, widestId }) => {
      return { path: partPaths(place, part).data, bytes, rows: written, widestId };
    });
    await format.assemble(files, target, shape);
    return await target.commit();
  } catch (error) {
    await target.abandon();
    throw error;
  }
}

/** There is a file of rejected rows only where there are any. */
async function assembleRejects(place: Place, parts: readonly ScorePart[]): Promise<void> {
  const bad = parts.filter(({ rejected }) => rejected > 0);
  if (bad.length === 0) return rm(place.rejects, { force: true });
  const target = await OutputFile.create(place.rejects, place.work);
  try {
    for (const { part } of bad) await target.copyWhole(partPaths(place, part).rejects);
    await target.commit();
  } catch (error) {
    await target.abandon();
    throw error;
  }
}

function total(parts: readonly ScorePart[], field: "written" | "rejected"): number {
  return parts.reduce((sum, part) => sum + part[field], 0);
}

function describeColumns({ shape }: OpenedPlan): ScoreManifest["output"]["columns"] {
  return [
    { name: "id", dtype: shape.integerIds ? "int64" : "text", shape: [] },
    ...shape.masks.map((name) => ({ name, dtype: "bool", shape: [] })),
    ...shape.tensors.map(({ spec }) => describeTensor(spec)),
  ];
}

function describeTensor({ name, dtype, shape, unit, names }: TensorSpec): ScoreManifest["output"]["columns"][number] {
  return {
    name,
    dtype,
    shape: shape.slice(1),
    ...(unit === undefined ? {} : { unit }),
    ...(names === undefined ? {} : { names }),
  };
}

function versions(): Record<string, string> {
  const require = createRequire(import.meta.url);
  const of = (name: string): string => (require(`${name}/package.json`) as { version: string }).version;
  return { cominfo: of("cominfo"), "onnxruntime-node": of("onnxruntime-node"), node: process.versions.node };
}
