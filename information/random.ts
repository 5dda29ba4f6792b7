import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import { sha256Words } from "./sha256.ts";

/**
 * Seeded generator with named streams. A stream is addressed by (seed, name...), for instance
 * `stream(7, "noise", step)`, so its whole state is the address: resuming a run needs the step number only,
 * and preparing batches ahead of time cannot change what they hold.
 */
export interface Random {
  /** Uniform in 0 .. 2^32 - 1. */
  uint32(): number;
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Uniform in 0 .. n - 1, without modulo bias. */
  integer(n: number): number;
  /** Standard normal (Marsaglia's polar method). */
  normal(): number;
  /** Uniformly random permutation of 0 .. n - 1 (Fisher-Yates). */
  permutation(n: number): Int32Array;
}

/** The stream of `seed` named by `name`. Streams of different names are independent for all practical purposes. */
export function stream(seed: number, ...name: readonly (string | number)[]): Random {
  const digest = sha256Words(new TextEncoder().encode(JSON.stringify([seed, ...name])));
  const state = Array.from(digest.subarray(0, 4), littleEndian);
  const generator = xoroshiro128plusFromState(state);
  const uint32 = (): number => generator.next() >>> 0;
  const uniform = (): number => ((uint32() >>> 5) * 67108864 + (uint32() >>> 6)) / 9007199254740992;
  let spare: number | undefined;

  function integer(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 4294967296) {
      throw new RangeError(`Cannot draw an integer: n must be a whole number from 1 to 2^32, got ${n}`);
    }
    const limit = 4294967296 - (4294967296 % n);
    let draw = uint32();
    while (draw >= limit) draw = uint32();
    return draw % n;
  }

  function normal(): number {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    for (;;) {
      const u = 2 * uniform() - 1;
      const v = 2 * uniform() - 1;
      const s = u * u + v * v;
      if (s > 0 && s < 1) {
        const scale = Math.sqrt((-2 * Math.log(s)) / s);
        spare = v * scale;
        return u * scale;
      }
    }
  }

  function permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = integer(i + 1);
      const kept = order[i]!;
      order[i] = order[j]!;
      order[j] = kept;
    }
    return order;
  }

  return { uint32, uniform, integer, normal, permutation };
}

/** The word whose bytes are those of `word` backwards, signed: digests were first read in this order. */
function littleEndian(word: number): number {
  return (word >>> 24) | ((word >>> 8) & 0xff00) | ((word << 8) & 0xff0000) | (word << 24);
}
