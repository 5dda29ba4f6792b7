import { FailureError, UsageError } from "../../schemas/errors.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import type { ImageStore } from "./image-store.ts";
import type { Factor, PairSource } from "./pair-source.ts";
import type { FactorColumn } from "./paired-rows.ts";
import type { FactorSize, Roles } from "./pairing.ts";

/**
 * Sources of single images: the batch holds `image` alone, every factor has the role `single`, and both entries of
 * `labels` are the one labelling. There is no pair, so no common information is told.
 */

export interface SingleImages {
  /** Of the source. */
  readonly name: string;
  readonly summary: string;
  readonly image: { readonly height: number; readonly width: number; readonly channels: number };
  readonly provenance: Readonly<Record<string, string>>;
}

/** Images that are drawn from their factors, independent and uniform: rows one after another, as in `drawLabels`. */
export function singleFromFactors(
  from: SingleImages & {
    readonly sizes: readonly FactorSize[];
    /** Images of these labels, uint8 [size, height, width, channels]. */
    render(labels: Readonly<Record<string, Int32Array>>, size: number): HostTensor;
  },
): PairSource {
  return {
    description: describe(from, from.sizes),
    draw(size, random) {
      const labels = Object.fromEntries(from.sizes.map(({ name }) => [name, new Int32Array(size)]));
      for (let row = 0; row < size; row++) {
        for (const factor of from.sizes) labels[factor.name]![row] = random.integer(factor.size);
      }
      return { tensors: { image: from.render(labels, size) }, labels: [labels, labels] };
    },
  };
}

/** Rows that a dataset has, each as likely as any other. On a full grid that is independent uniform factors. */
export function singleFromRows(
  from: Omit<SingleImages, "image"> & {
    readonly images: ImageStore;
    readonly columns: readonly FactorColumn[];
    /** Begins the messages of errors. */
    readonly action: string;
  },
): PairSource {
  const { images, columns, action } = from;
  for (const { name, classes } of columns) {
    if (classes.length !== images.count) {
      throw new FailureError(
        `Cannot ${action}: factor "${name}" must have ${images.count} labels, one for each image, got ${classes.length}`,
        { code: "bad_data" },
      );
    }
  }
  if (images.count === 0) {
    throw new FailureError(`Cannot ${action}: there must be at least one image, got 0`, { code: "bad_data" });
  }
  const { height, width, channels } = images;
  const pixels = height * width * channels;
  return {
    description: describe({ ...from, image: { height, width, channels } }, columns),
    draw(size, random) {
      const rows = Int32Array.from({ length: size }, () => random.integer(images.count));
      const data = new Uint8Array(size * pixels);
      for (const [at, row] of rows.entries()) images.copy(row, data, at * pixels);
      const labels = Object.fromEntries(
        columns.map(({ name, classes }) => [name, rows.map((row) => classes[row]!)] as const),
      );
      return {
        tensors: { image: { dtype: "uint8", shape: [size, height, width, channels], data } },
        labels: [labels, labels],
      };
    },
  };
}

/** @throws UsageError where factors of single images are given roles */
export function requireNoRoles({ common, unique }: Roles, action: string): void {
  if (common === undefined && unique === undefined) return;
  throw new UsageError(
    `Cannot ${action}: "${common === undefined ? "unique" : "common"}" says what two views share, and "views" is 1: leave one of them out`,
    { code: "invalid", path: ["views"] },
  );
}

function describe({ name, summary, image, provenance }: SingleImages, sizes: readonly FactorSize[]) {
  const factors = sizes.map(({ name, size }): Factor => ({ name, size, role: "single" }));
  return { name, summary, views: [{ name: "image", ...image }], factors, provenance };
}
