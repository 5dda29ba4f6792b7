import util from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useBackend } from "../../../train/engine/tfjs-backend.ts";

const missing = (name: string): Error =>
  Object.assign(new Error(`Cannot find package '${name}' imported from here`), { code: "ERR_MODULE_NOT_FOUND" });

test("the cpu backend needs nothing", async () => {
  await useBackend("cpu");
  expect(tf.getBackend()).toBe("cpu");
});

// The import itself fails in test/train/commands/train.test.ts: vite puts a stub in the place of optional packages.
test("where no TensorFlow package is installed, the error names both and the command", async () => {
  const load = async (name: string): Promise<unknown> => {
    throw missing(name);
  };
  await expect(useBackend("tensorflow", load)).rejects.toThrow(
    /^Cannot use --backend tensorflow: it needs one of the optional packages @tensorflow\/tfjs-node-gpu \(CUDA 11.2\) or @tensorflow\/tfjs-node \(CPU\), got neither; run: npm i --ignore-scripts=false @tensorflow\/tfjs-node@4\.22\.0/,
  );
});

test("the GPU package is tried first, the CPU package next; what they register is used", async () => {
  const tried: string[] = [];
  await useBackend("tensorflow", async (name) => {
    tried.push(name);
    if (name.endsWith("gpu")) throw missing(name);
    const cpu = tf.findBackend("cpu");
    tf.registerBackend("tensorflow", () => cpu);
  });
  expect(tried).toEqual(["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"]);
  expect(tf.getBackend()).toBe("tensorflow");
  await useBackend("cpu");
});

test("a package whose native library is not there is told apart from one that is not installed", async () => {
  const broken = async (): Promise<unknown> => {
    throw new Error("The Node.js native addon module (tfjs_binding.node) can not be found\nat somewhere");
  };
  await expect(useBackend("tensorflow", broken)).rejects.toThrow(
    /tfjs-node-gpu is installed but does not load \(The Node.js native addon module .* can not be found\); .*npm rebuild @tensorflow\/tfjs-node-gpu --ignore-scripts=false$/,
  );
});

test("a dependency that the package itself lacks is not taken for the package", async () => {
  const broken = async (): Promise<unknown> => {
    throw missing("bindings");
  };
  await expect(useBackend("tensorflow", broken)).rejects.toThrow("is installed but does not load");
});

test("the function that Node 23 took from util is there when the package loads", async () => {
  const legacy = util as unknown as { isNullOrUndefined?: (value: unknown) => boolean };
  const kept = legacy.isNullOrUndefined;
  delete legacy.isNullOrUndefined;
  let seen: boolean[] = [];
  const load = async (name: string): Promise<unknown> => {
    seen = [null, undefined, 0].map((value) => legacy.isNullOrUndefined!(value));
    throw missing(name);
  };
  await expect(useBackend("tensorflow", load)).rejects.toThrow("got neither");
  expect(seen).toEqual([true, true, false]);
  if (kept !== undefined) legacy.isNullOrUndefined = kept;
});
