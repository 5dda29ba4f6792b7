import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema, TensorProto_DataType, TensorProtoSchema } from "onnx-buf";
import type { HostTensor } from "../../schemas/tensor.ts";

/**
 * Puts weights into a task whose graph takes them as inputs: inputs become initialisers, and the file stands alone.
 *
 * @param weights float32, by input name; those that the graph does not take are passed over
 */
export function mergeWeights(model: Uint8Array, weights: ReadonlyMap<string, HostTensor>): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, model);
  const graph = proto.graph!;
  const frozen = graph.input.filter(({ name }) => weights.has(name));
  graph.input = graph.input.filter(({ name }) => !weights.has(name));
  for (const { name } of frozen) {
    const { shape, data } = weights.get(name)!;
    graph.initializer.push(
      create(TensorProtoSchema, {
        name,
        dataType: TensorProto_DataType.FLOAT,
        dims: shape.map(BigInt),
        rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice(),
      }),
    );
  }
  return toBinary(ModelProtoSchema, proto);
}
