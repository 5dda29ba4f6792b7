import path from "node:path";
import { UsageError } from "../../schemas/errors.ts";
import { type ScoreFormat, scoreFormats } from "../../schemas/score-plan.ts";

/** Where an output and what belongs to it lie. All are in one folder, so that renames are atomic. */
export interface Place {
  readonly format: ScoreFormat;
  /** The output; of pictures, the list of them. */
  readonly file: string;
  readonly manifest: string;
  readonly rejects: string;
  /** Folder of the plan and the parts while the run is unfinished. */
  readonly work: string;
  /** Folder of the pictures. */
  readonly pictures: string | undefined;
}

const endings: Readonly<Record<string, ScoreFormat>> = {
  ".parquet": "parquet",
  ".arrow": "arrow",
  ".feather": "arrow",
  ".npz": "npz",
  ".jsonl": "jsonl",
};

/**
 * `codes.parquet` is a file, with `codes.parquet.manifest.json` and `codes.parquet.rejects.jsonl` beside it; a name
 * without such an ending is a folder, with `<task>.parquet`, `manifest.json` and `rejects.jsonl` in it.
 *
 * @throws UsageError for a format that is not known, or is not that of the name
 */
export function placeOf(out: string, { task, format }: { task: string; format: string | undefined }): Place {
  const target = path.resolve(out);
  if (format !== undefined && !scoreFormats.some((known) => known === format)) {
    throw new UsageError(`Cannot score: --format must be one of ${scoreFormats.join(", ")}, got "${format}"`);
  }
  const ofName = endings[path.extname(target).toLowerCase()];
  if (ofName !== undefined && format !== undefined && ofName !== format) {
    throw new UsageError(`Cannot score: --out "${out}" must end as --format ${format} does, or be a folder`);
  }
  if (ofName !== undefined) {
    return {
      format: ofName,
      file: target,
      manifest: `${target}.manifest.json`,
      rejects: `${target}.rejects.jsonl`,
      work: `${target}.parts`,
      pictures: undefined,
    };
  }
  const chosen = (format ?? "parquet") as ScoreFormat;
  return {
    format: chosen,
    file: path.join(target, chosen === "png" ? "pictures.jsonl" : `${task}.${chosen}`),
    manifest: path.join(target, "manifest.json"),
    rejects: path.join(target, "rejects.jsonl"),
    work: path.join(target, "parts"),
    pictures: chosen === "png" ? target : undefined,
  };
}
