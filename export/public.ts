/** Entry of `cominfo/export`: the compiler from tfjs functions to ONNX. Knows no model of this project. */
export { FailureError, UsageError } from "../schemas/errors.ts";
export type { Dtype, HostTensor } from "../schemas/tensor.ts";
export { type BundleOptions, type BundleProgress, type BundleTask, writeBundle } from "./bundle.ts";
export { checkModel } from "./check.ts";
export { type Converted, type ConvertOptions, convert } from "./convert.ts";
export type { Attribute, Dim, Graph, Node, StateVariable, ValueInfo } from "./graph.ts";
export { supportedKernels } from "./kernels/registry.ts";
export { writeOnnx } from "./onnx-writer.ts";
export { checkParity, type ParityCase, type ParityOptions } from "./parity.ts";
export type { ParityInput } from "./parity-inputs.ts";
export { trace } from "./trace.ts";
export type { TensorFunction, TraceInput, TraceOptions } from "./traced-function.ts";
