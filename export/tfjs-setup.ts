import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
// Registers the gradients of all kernels. tfjs-core's own module for it cannot be loaded by Node (ESM without extensions
// in a CommonJS package); tfjs-layers carries the same code and shares the engine.
import "@tensorflow/tfjs-layers";
import { correctGradients } from "./tfjs-gradients.ts";

/**
 * What every user of tfjs in this project imports first, for its effects: gradients, the cpu backend, and no
 * advertisement for tfjs-node on the first tensor (the cpu backend is used here for reference values and constants).
 *
 * The mark is that of all cpu backends: where a tensor is made before a backend was chosen, tfjs makes a new one.
 */
Object.defineProperty(MathBackendCPU.prototype, "firstUse", { get: () => false, set: () => undefined });

correctGradients();
