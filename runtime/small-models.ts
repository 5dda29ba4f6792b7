import { create, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import type { Dtype } from "../schemas/tensor.ts";

/** The two models that this room runs for its own purposes. Element types by their number in onnx.proto. */

const elementType = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9 } as const satisfies Record<Dtype, number>;

/** `z = x y`, all float32 of unknown rank: asks a device whether it really computes. */
export function probeModel(): Uint8Array {
  return oneNode("MatMul", { inputs: ["x", "y"], output: "z", dtype: "float32" });
}

/** `y = x` of unknown rank: brings a tensor from the device to the host. */
export function identityModel(dtype: Dtype): Uint8Array {
  return oneNode("Identity", { inputs: ["x"], output: "y", dtype });
}

function oneNode(
  opType: string,
  { inputs, output, dtype }: { inputs: readonly string[]; output: string; dtype: Dtype },
): Uint8Array {
  const value = (name: string) => ({
    name,
    type: { value: { case: "tensorType" as const, value: { elemType: elementType[dtype] } } },
  });
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: "", version: 17n }],
    graph: {
      name: opType,
      input: inputs.map(value),
      output: [value(output)],
      node: [{ opType, input: [...inputs], output: [output] }],
    },
  });
  return toBinary(ModelProtoSchema, model);
}
