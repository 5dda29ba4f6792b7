import type { HostTensor } from "../../schemas/tensor.ts";
import { type BinaryMessage, binaryEntry, bytesOf, joinMessage } from "./binary-tensors.ts";
import type { InferCall } from "./infer-request.ts";
import { writeOutput } from "./json-tensors.ts";

/** What the engine answered, as the body that was asked for. */

export interface InferResult {
  /** As the client called the model. */
  readonly model: string;
  readonly version: string;
  readonly tensors: Readonly<Record<string, HostTensor>>;
}

/**
 * Text where no output is binary, a binary message otherwise. Binary outputs carry any value; those in JSON must be
 * finite.
 *
 * @throws HttpError 422 for a value that JSON cannot say
 */
export function writeInferResponse(
  { id, outputs }: Pick<InferCall, "id" | "outputs">,
  { model, version, tensors }: InferResult,
): string | BinaryMessage {
  const blobs: Uint8Array[] = [];
  const entries = outputs.map(({ name, binary }) => {
    const tensor = tensors[name]!;
    if (!binary) return writeOutput(name, tensor);
    blobs.push(bytesOf(tensor));
    return binaryEntry(name, tensor);
  });
  const header = { model_name: model, model_version: version, id, outputs: entries }; // JSON leaves out what is undefined
  return blobs.length > 0 ? joinMessage(header, blobs) : JSON.stringify(header);
}
