import * as tf from "@tensorflow/tfjs-core";
import { FailureError } from "../../schemas/errors.ts";
import type { Networks } from "../models/family.ts";
import { toTensor } from "./eager-engine.ts";
import type { State } from "./engine.ts";
import { requireFit } from "./require-fit.ts";

/**
 * Gives every variable of a model its stored value.
 *
 * @param missing what to say of a variable that is not among the values, for instance `Cannot evaluate: "x" ...`
 * @throws FailureError if a value is missing or of another shape
 */
export function setNetworks(networks: Networks, values: State, missing: (name: string) => string): void {
  for (const [name, variable] of Object.entries(networks)) {
    const value = values.get(name);
    if (value === undefined) throw new FailureError(missing(name));
    requireFit(name, value, { dtype: "float32", shape: variable.shape });
    tf.tidy(() => variable.assign(toTensor(value)));
  }
}
