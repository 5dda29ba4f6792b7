import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Matrix } from "../../information/matrix.ts";
import { createSession } from "../../runtime/create-session.ts";
import type { SessionOptions } from "../../runtime/session.ts";
import { UsageError } from "../../schemas/errors.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { largest } from "./judge.ts";

/** What a classifier says of a batch of images. */
export interface Verdict {
  /** Class of each image. */
  readonly classes: Int32Array;
  /** [images, features] of its last hidden layer. */
  readonly features: Matrix;
}

export interface OpenJudge {
  /** @param images uint8, or float32 intensity 0..1 as generating tasks return it; [images, height, width, channels] */
  judge(images: HostTensor): Promise<Verdict>;
  close(): Promise<void>;
}

/**
 * Opens the judge that a recipe names: a bundle with the task `classify`, as `cominfo export` writes it from a run of
 * family `judge`. A relative folder is looked for in the working directory, then in the package.
 *
 * @throws UsageError if there is none
 */
export async function openJudge(folder: string, options: SessionOptions = {}): Promise<OpenJudge> {
  const places = [path.resolve(folder), path.resolve(packageRoot(), folder)];
  const files = places.map((place) => path.join(place, "classify", "1", "model.onnx"));
  const file = files.find((candidate) => existsSync(candidate));
  if (file === undefined) {
    throw new UsageError(
      `Cannot open the judge "${folder}": it must be a bundle with the task "classify", got none there; train one with \`cominfo train judge-mnist --data DIR\`, then \`cominfo export runs/judge-mnist --out ${folder}\``,
      { code: "no_judge", path: ["evaluation", "judge"] },
    );
  }
  const session = await createSession(file, options);
  return {
    async judge(images) {
      const { logits, features } = await session.run({ view_1: toBytes(images) });
      const [rows = 0, classes = 0] = logits!.shape;
      const values = logits!.data as Float32Array;
      return {
        classes: Int32Array.from({ length: rows }, (_, i) => largest(values, { start: i * classes, length: classes })),
        features: { rows, columns: features!.shape[1]!, values: features!.data as Float32Array },
      };
    },
    close: () => session.release(),
  };
}

function toBytes({ dtype, shape, data }: HostTensor): HostTensor {
  if (dtype === "uint8") return { dtype, shape, data };
  const bytes = Uint8Array.from(data as Float32Array, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
  return { dtype: "uint8", shape, data: bytes };
}

/** Of the sources, or of the package in which the compiled program lies in dist/. */
function packageRoot(): string {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  return path.basename(root) === "dist" ? path.dirname(root) : root;
}
