import * as tf from "@tensorflow/tfjs-core";
import { randomKernels } from "../fold.ts";
import type { Lowering } from "../lowering.ts";
import { SymbolicBackend, symbolicBackend } from "../symbolic-backend.ts";
import * as activations from "./activations.ts";
import * as arithmetic from "./arithmetic.ts";
import * as blocks from "./blocks.ts";
import * as comparison from "./comparison.ts";
import * as convolution from "./convolution.ts";
import * as depthwise from "./depthwise.ts";
import * as functions from "./functions.ts";
import * as fused from "./fused.ts";
import * as indexing from "./indexing.ts";
import * as matmul from "./matmul.ts";
import * as normalisation from "./normalisation.ts";
import * as pooling from "./pooling.ts";
import * as reduction from "./reduction.ts";
import * as resize from "./resize.ts";
import * as scan from "./scan.ts";
import * as shape from "./shape.ts";
import * as slicing from "./slicing.ts";

/** Every export of these files is the lowering of the tfjs kernel of the same name. */
const lowerings: Readonly<Record<string, Lowering<never>>> = {
  ...activations,
  ...arithmetic,
  ...blocks,
  ...comparison,
  ...convolution,
  ...depthwise,
  ...functions,
  ...fused,
  ...indexing,
  ...matmul,
  ...normalisation,
  ...pooling,
  ...reduction,
  ...resize,
  ...scan,
  ...shape,
  ...slicing,
};

/** tfjs kernels with a lowering, sorted. */
export function supportedKernels(): string[] {
  return Object.keys(lowerings).sort();
}

let backend: SymbolicBackend | undefined;

/** The symbolic backend, registered with tfjs on first use. */
export function symbolic(): SymbolicBackend {
  if (backend !== undefined) return backend;
  const created = new SymbolicBackend();
  backend = created;
  tf.registerBackend(symbolicBackend, () => created, 0);
  for (const [kernelName, lowering] of Object.entries(lowerings)) {
    tf.registerKernel({
      kernelName,
      backendName: symbolicBackend,
      kernelFunc: ({ inputs, attrs }) => created.record(kernelName, lowering, inputs, attrs),
    });
  }
  for (const { kernelName } of tf.getKernelsForBackend("cpu")) {
    if (kernelName in lowerings) continue;
    tf.registerKernel({
      kernelName,
      backendName: symbolicBackend,
      kernelFunc: ({ inputs, attrs }) => created.record(kernelName, refuse(kernelName), inputs, attrs),
    });
  }
  return created;
}

function refuse(kernel: string): Lowering<never> {
  return () => {
    throw new Error(
      randomKernels.has(kernel)
        ? `Cannot trace the kernel ${kernel}: a random draw would be frozen into the graph. Draw on the host and pass the noise as an input of the traced function`
        : `Cannot trace the kernel ${kernel}: it has no ONNX lowering. Write the operation with supported kernels (${supportedKernels().length} of them: see export/README.md), or add a function named ${kernel} to export/kernels/`,
    );
  };
}
