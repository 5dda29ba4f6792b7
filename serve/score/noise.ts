import { createHash } from "node:crypto";

/**
 * Standard normal values that belong to one row: a function of the seed, the input's name and the row's id, so they are
 * the same in any batch, shard or order (SHA-256 in counter mode, Box-Muller).
 */
export function drawNoise(
  target: Float32Array,
  offset: number,
  size: number,
  address: readonly [number, string, string],
): void {
  for (let i = 0; i < size; i += 2) {
    const digest = createHash("sha256")
      .update(JSON.stringify([...address, i]))
      .digest();
    const u = (digest.readUInt32LE(0) + 1) / 4294967297; // in (0, 1)
    const v = digest.readUInt32LE(4) / 4294967296;
    const radius = Math.sqrt(-2 * Math.log(u));
    target[offset + i] = radius * Math.cos(2 * Math.PI * v);
    if (i + 1 < size) target[offset + i + 1] = radius * Math.sin(2 * Math.PI * v);
  }
}
