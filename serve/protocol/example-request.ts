import { datatypeOf, type InferRequest } from "../../schemas/open-inference.ts";
import { elementCount } from "../../schemas/tensor.ts";
import type { ServedModel } from "../engine/inference-engine.ts";

/** A request that the model accepts: one row of zeros. */
export function exampleRequest({ spec, name }: Pick<ServedModel, "spec" | "name">): InferRequest {
  const inputs = spec.inputs.map((input) => {
    const shape = input.shape.map((size) => Math.abs(size));
    const data = new Array<number | boolean>(elementCount(shape)).fill(input.dtype === "bool" ? false : 0);
    return { name: input.name, shape, datatype: datatypeOf[input.dtype], data };
  });
  return { id: `example of ${name}`, inputs };
}
