/** Like `toFixed`, but what rounds to zero has no sign: bits of -0.00 would look like a fault. */
export function fixed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text;
}

/** Size of a file: `1.9 MB`, and `23 kB` where megabytes would be 0.0. */
export function sizeText(bytes: number): string {
  return bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
