import { stream } from "../../information/random.ts";

/**
 * Standard normal values that belong to one row: drawn from the stream of the seed, the input's name and the row's id,
 * so they are the same in any batch, shard or order.
 */
export function drawNoise(
  target: Float32Array,
  place: { readonly offset: number; readonly size: number },
  address: { readonly seed: number; readonly input: string; readonly id: string },
): void {
  const random = stream(address.seed, "score", address.input, address.id);
  for (let i = 0; i < place.size; i++) target[place.offset + i] = random.normal();
}
