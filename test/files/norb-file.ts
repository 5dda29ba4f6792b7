/** A file of the NORB data sets' own format. */
export function norbMatrix(shape: readonly number[], data: Uint8Array | Int32Array): Buffer {
  const sizes = [...shape, ...Array<number>(Math.max(0, 3 - shape.length)).fill(1)];
  const head = Buffer.alloc(8 + 4 * sizes.length);
  head.writeUInt32LE(data instanceof Uint8Array ? 0x1e3d4c55 : 0x1e3d4c54, 0);
  head.writeInt32LE(shape.length, 4);
  for (const [axis, size] of sizes.entries()) head.writeInt32LE(size, 8 + 4 * axis);
  return Buffer.concat([head, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}
