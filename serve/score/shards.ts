import { UsageError } from "../../schemas/errors.ts";

/** Shard `index` of `count`, from 0, as a Kubernetes Indexed Job numbers its pods. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** @throws UsageError unless `text` is `i/n` with i from 0 to n - 1 */
export function parseShard(text: string): Shard {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (match !== null && count >= 1 && index < count) return { index, count };
  throw new UsageError(`Cannot score: --shard must be i/n with i from 0 to n - 1, got "${text}"`, {
    code: "bad_shard",
  });
}

/** Neighbouring parts, so that a shard reads one stretch of the input; sizes differ by one at most. */
export function partsOf({ index, count }: Shard, parts: number): number[] {
  const first = Math.floor((index * parts) / count);
  const end = Math.floor(((index + 1) * parts) / count);
  return Array.from({ length: end - first }, (_, k) => first + k);
}
