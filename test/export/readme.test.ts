import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { supportedKernels, symbolic } from "../../export/kernels/registry.ts";

const readme = readFileSync(new URL("../../export/README.md", import.meta.url), "utf8");

test("export/README.md lists exactly the kernels that have a lowering", () => {
  const [, list = ""] = readme.split("## Kernels");
  expect(list.match(/\w+/g)).toEqual(supportedKernels());
});

test("every lowering is named as a kernel of tfjs's cpu backend", () => {
  const known = new Set(tf.getKernelsForBackend("cpu").map(({ kernelName }) => kernelName));
  expect(supportedKernels().filter((kernel) => !known.has(kernel))).toEqual([]);
});

test("every kernel of tfjs's cpu backend is registered: lowered, or refused by name", () => {
  symbolic();
  const registered = tf.getKernelsForBackend("cominfo-symbolic").map(({ kernelName }) => kernelName);
  expect(registered).toEqual(
    expect.arrayContaining(tf.getKernelsForBackend("cpu").map(({ kernelName }) => kernelName)),
  );
});
