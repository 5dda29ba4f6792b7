import type { TaskManifest, TensorSpec } from "../schemas/manifest.ts";

/** Rows that Triton may put into one run. The file takes any number; a server with other memory edits this line. */
const maxBatch = 128;

const tritonTypes: Readonly<Record<TensorSpec["dtype"], string>> = {
  float32: "TYPE_FP32",
  int32: "TYPE_INT32",
  int64: "TYPE_INT64",
  uint8: "TYPE_UINT8",
  bool: "TYPE_BOOL",
};

/**
 * `config.pbtxt` of one task for NVIDIA Triton. With batching, Triton's own dimensions leave the batch out; a tensor
 * that has no other dimension is `[1]` to the client and reshaped (Triton knows no empty `dims`).
 *
 * Source: triton-inference-server/server, docs/user_guide/model_configuration.md
 */
export function tritonConfig(name: string, task: Pick<TaskManifest, "inputs" | "outputs">): string {
  const all = [...task.inputs, ...task.outputs];
  const isBatched = task.inputs.length > 0 && all.every(({ shape }) => shape[0] === -1 && !shape.slice(1).includes(-1));
  const tensor = ({ name, dtype, shape }: TensorSpec): string => {
    const dims = isBatched ? shape.slice(1) : shape;
    const form = dims.length === 0 ? "dims: [ 1 ]\n    reshape { shape: [ ] }" : `dims: [ ${dims.join(", ")} ]`;
    return `  {\n    name: ${JSON.stringify(name)}\n    data_type: ${tritonTypes[dtype]}\n    ${form}\n  }`;
  };
  return [
    `name: ${JSON.stringify(name)}`,
    'platform: "onnxruntime_onnx"',
    `max_batch_size: ${isBatched ? maxBatch : 0}`,
    `input [\n${task.inputs.map(tensor).join(",\n")}\n]`,
    `output [\n${task.outputs.map(tensor).join(",\n")}\n]`,
    ...(isBatched ? ["dynamic_batching { }"] : []),
    "",
  ].join("\n");
}
