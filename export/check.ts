export function checkModel(bytes: Uint8Array): void {
  if (bytes.length === 0) throw new Error("Cannot check model: empty");
}
