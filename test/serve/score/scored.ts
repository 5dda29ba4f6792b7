import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { type Place, placeOf } from "../../../serve/score/place.ts";
import type { ScoreRequest } from "../../../serve/score/plan.ts";
import { type RunOptions, type RunOutcome, runScore } from "../../../serve/score/run-score.ts";
import { type TinyTask, writeTinyBundle } from "../tiny-bundle.ts";

/** Runs of batch scoring in this process, and what they left. */

export type Wanted = Pick<ScoreRequest, "bundle" | "task"> &
  Partial<Omit<ScoreRequest, "sources">> & {
    /** `--in`: a path, or a name and a path. */
    readonly from: readonly (string | readonly [name: string, path: string])[];
    readonly format?: string;
  };

export interface Scored extends RunOutcome {
  readonly place: Place;
}

/** Small batches and parts, so that rows meet the ends of both. */
export async function scored(out: string, wanted: Wanted, options: RunOptions = {}): Promise<Scored> {
  const { from, format, ...request } = wanted;
  const place = placeOf(out, { task: wanted.task, format });
  const sources = from.map((source) =>
    typeof source === "string" ? { name: undefined, path: source } : { name: source[0], path: source[1] },
  );
  const defaults = { mapping: { inputs: {} }, device: "cpu", batch: 3, partRows: 5, seed: 0 } as const;
  const whole = { ...defaults, partial: false, resize: false, ...request, sources };
  return { place, ...(await runScore(whole, place, { threads: 1, hash: false, ...options })) };
}

export async function jsonLines(file: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(file, "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const vector = (name: string) => ({ name, dtype: "float32", shape: [-1, 2] }) as const;
const copy = (from: string, to: string) => ({ op: "Identity", inputs: [from], outputs: [to] });

/** `common = view_1 + view_2`, `unique_1 = view_1`, `unique_2 = view_2`; with one view, `common` is that view. */
export const encoders: Readonly<Record<string, TinyTask>> = {
  encode: {
    inputs: [vector("view_1"), vector("view_2")],
    outputs: [vector("common"), vector("unique_1"), vector("unique_2")],
    nodes: [
      { op: "Add", inputs: ["view_1", "view_2"], outputs: ["common"] },
      copy("view_1", "unique_1"),
      copy("view_2", "unique_2"),
    ],
  },
  ...Object.fromEntries(
    ["1", "2"].map((view) => [
      `encode_${view}`,
      {
        inputs: [vector(`view_${view}`)],
        outputs: [vector("common"), vector(`unique_${view}`)],
        nodes: [copy(`view_${view}`, "common"), copy(`view_${view}`, `unique_${view}`)],
      },
    ]),
  ),
};

export async function bundleOf(folder: string, tasks: Readonly<Record<string, TinyTask>>): Promise<string> {
  const bundle = path.join(folder, "bundle");
  await mkdir(bundle, { recursive: true });
  await writeTinyBundle(bundle, tasks);
  return bundle;
}
