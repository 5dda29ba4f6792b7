import { gzipSync } from "node:zlib";
import { writeSafetensors } from "../schemas/safetensors.ts";
import type { HostTensor } from "../schemas/tensor.ts";
import type { PairSource } from "./data/pair-source.ts";
import { stream } from "./random.ts";

/** Where a bundle keeps its sample of pairs. */
export const samplesFile = "samples.safetensors.gz";

/**
 * Pairs for people to play with, in the browser demo for instance: the views by name, and the labels of each view as
 * `label_1/<factor>` and `label_2/<factor>`, int32. A pure function of (source, seed).
 *
 * @returns a gzip-compressed safetensors file; the same pairs give the same bytes on one version of Node
 */
export function samplePairs(source: PairSource, { pairs, seed }: { pairs: number; seed: number }): Uint8Array {
  const { tensors, labels } = source.draw(pairs, stream(seed, "sample", "pairs"));
  const file = new Map<string, HostTensor>(Object.entries(tensors));
  for (const [view, factors] of labels.entries()) {
    for (const [factor, data] of Object.entries(factors)) {
      file.set(`label_${view + 1}/${factor}`, { dtype: "int32", shape: [pairs], data });
    }
  }
  return gzipSync(writeSafetensors(file), { level: 9 });
}
