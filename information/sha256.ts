/**
 * SHA-256 of bytes, for addresses of random streams: `node:crypto` is not in a browser, and a browser's own is
 * asynchronous. Not for secrets, and slow for files.
 *
 * Source: FIPS 180-4, sections 5 and 6.2
 *
 * @returns [8], the digest as unsigned 32-bit numbers, the most significant first
 */
export function sha256Words(message: Uint8Array): Uint32Array {
  const padded = new DataView(new ArrayBuffer(Math.ceil((message.length + 9) / 64) * 64));
  for (const [at, byte] of message.entries()) padded.setUint8(at, byte);
  padded.setUint8(message.length, 0x80);
  padded.setUint32(padded.byteLength - 8, Math.floor(message.length / 2 ** 29));
  padded.setUint32(padded.byteLength - 4, message.length << 3);
  const hash = Uint32Array.from(initial);
  const words = new Uint32Array(64);
  for (let block = 0; block < padded.byteLength; block += 64) {
    for (let t = 0; t < 16; t++) words[t] = padded.getUint32(block + 4 * t);
    for (let t = 16; t < 64; t++) {
      const [w15, w2] = [words[t - 15]!, words[t - 2]!];
      const low = turn(w15, 7) ^ turn(w15, 18) ^ (w15 >>> 3);
      const high = turn(w2, 17) ^ turn(w2, 19) ^ (w2 >>> 10);
      words[t] = words[t - 16]! + low + words[t - 7]! + high;
    }
    compress(hash, words);
  }
  return hash;
}

function compress(hash: Uint32Array, words: Uint32Array): void {
  let [a, b, c, d, e, f, g, h] = hash as unknown as [number, number, number, number, number, number, number, number];
  for (let t = 0; t < 64; t++) {
    const upper = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
    const first = (h + upper + ((e & f) ^ (~e & g)) + constants[t]! + words[t]!) | 0;
    const lower = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
    const second = (lower + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  for (const [i, value] of [a, b, c, d, e, f, g, h].entries()) hash[i] = hash[i]! + value;
}

function turn(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

const primes = Array.from({ length: 310 }, (_, i) => i + 2).filter((n) => {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
});

/** First 32 bits of the fractional parts of the square roots of the first 8 primes. */
const initial = primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
/** The same of the cube roots of the first 64. */
const constants = Uint32Array.from(primes.slice(0, 64), (prime) => fraction(Math.cbrt(prime)));

function fraction(root: number): number {
  return Math.floor((root % 1) * 2 ** 32);
}
