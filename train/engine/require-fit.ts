import { FailureError } from "../../schemas/errors.ts";
import type { HostTensor } from "../../schemas/tensor.ts";

type Kind = Pick<HostTensor, "dtype" | "shape">;

/** @throws FailureError unless a stored value fits the variable it is meant for; `wanted` undefined: no such variable */
export function requireFit(name: string, value: Kind, wanted: Kind | undefined): void {
  if (wanted === undefined) {
    throw new FailureError(`Cannot restore state: "${name}" must be a variable of the model, got an unknown name`);
  }
  if (value.dtype !== wanted.dtype || value.shape.join() !== wanted.shape.join()) {
    throw new FailureError(`Cannot restore state: "${name}" must be ${show(wanted)}, got ${show(value)}`);
  }
}

function show({ dtype, shape }: Kind): string {
  return `${dtype} [${shape.join(", ")}]`;
}
