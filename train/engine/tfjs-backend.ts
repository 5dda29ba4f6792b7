import util from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import "../../export/tfjs-setup.ts";
import { FailureError } from "../../schemas/errors.ts";

/** tfjs backends of the eager engine. */
export type TfjsBackend = "cpu" | "tensorflow";

/** Optional peer dependencies, the faster first. */
// Their version must be that of tfjs-core, which holds the kernel registry of both.
const tensorflowPackages = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"] as const;

/**
 * Makes `backend` the one on which tfjs computes from now on.
 *
 * @param load imports a package by name; replaced in tests
 * @throws FailureError when TensorFlow is asked for and neither package is installed, or its library does not load
 */
export async function useBackend(
  backend: TfjsBackend,
  load: (name: string) => Promise<unknown> = (name) => import(name),
): Promise<void> {
  if (backend === "tensorflow") await loadTensorflow(load);
  if (!(await tf.setBackend(backend))) throw new FailureError(`Cannot start the tfjs backend "${backend}"`);
  await tf.ready();
}

async function loadTensorflow(load: (name: string) => Promise<unknown>): Promise<void> {
  // tfjs-node 4.22 calls util.isNullOrUndefined, which Node 23 removed. CommonJS modules share this very object.
  const legacy = util as unknown as { isNullOrUndefined?: (value: unknown) => boolean };
  legacy.isNullOrUndefined ??= (value) => value === null || value === undefined;
  for (const name of tensorflowPackages) {
    try {
      await load(name);
      return;
    } catch (error) {
      if (isMissing(error, name)) continue;
      const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
      throw new FailureError(
        `Cannot use --backend tensorflow: ${name} is installed but does not load (${why}); its install script downloads the native library, run: npm rebuild ${name} --ignore-scripts=false`,
        { code: "no_tensorflow", cause: error },
      );
    }
  }
  throw new FailureError(
    `Cannot use --backend tensorflow: it needs one of the optional packages ${tensorflowPackages.join(" (CUDA 11.2) or ")} (CPU), got neither; run: npm i --ignore-scripts=false ${tensorflowPackages[1]}@${tf.version_core}, or use --engine compiled`,
    { code: "no_tensorflow" },
  );
}

function isMissing(error: unknown, name: string): boolean {
  return (
    error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND" && error.message.includes(name)
  );
}
