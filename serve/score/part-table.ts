import type { TensorSpec } from "../../schemas/manifest.ts";
import { elementCount, type TensorData } from "../../schemas/tensor.ts";

/** Scored rows of one part, column by column. */

export interface TensorColumn {
  readonly name: string;
  readonly spec: TensorSpec;
  /** Values a row. */
  readonly size: number;
  /** [rows, size] */
  readonly data: TensorData;
  /** 1 where the row has a value; undefined: all rows have. */
  readonly present: Uint8Array | undefined;
}

export interface PartTable {
  readonly rows: number;
  readonly ids:
    | { readonly integer: true; readonly values: BigInt64Array }
    | { readonly integer: false; readonly values: readonly string[] };
  /** Which rows had which view: `has_view_1`, 0 or 1. */
  readonly masks: readonly { readonly name: string; readonly data: Uint8Array }[];
  readonly tensors: readonly TensorColumn[];
}

/** What the rows of an output look like, known before the first one is scored. */
export interface OutputShape {
  readonly integerIds: boolean;
  readonly masks: readonly string[];
  readonly tensors: readonly { readonly spec: TensorSpec; readonly optional: boolean }[];
}

const makers = {
  float32: Float32Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int64: BigInt64Array,
} as const;

/** Collects rows until the part is full; memory is that of the part's columns. */
export class PartBuilder {
  readonly #shape: OutputShape;
  readonly #integerIds: BigInt64Array;
  readonly #textIds: string[] = [];
  readonly #masks: readonly Uint8Array[];
  readonly #tensors: readonly { size: number; data: TensorData; present: Uint8Array | undefined }[];
  #rows = 0;

  constructor(shape: OutputShape, capacity: number) {
    this.#shape = shape;
    this.#integerIds = new BigInt64Array(shape.integerIds ? capacity : 0);
    this.#masks = shape.masks.map(() => new Uint8Array(capacity));
    this.#tensors = shape.tensors.map(({ spec, optional }) => {
      const size = elementCount(spec.shape.slice(1));
      const data = new makers[spec.dtype](capacity * size);
      return { size, data, present: optional ? new Uint8Array(capacity) : undefined };
    });
  }

  /** @param outputs of the block that row `at` belongs to; an output that is not there leaves the row's value missing */
  add(row: {
    id: string | bigint;
    masks: readonly boolean[];
    outputs: Readonly<Record<string, { data: TensorData }>>;
    at: number;
  }): void {
    const to = this.#rows;
    if (this.#shape.integerIds) this.#integerIds[to] = BigInt(row.id);
    else this.#textIds.push(String(row.id));
    for (const [k, mask] of this.#masks.entries()) mask[to] = row.masks[k] ? 1 : 0;
    for (const [k, { size, data, present }] of this.#tensors.entries()) {
      const found = row.outputs[this.#shape.tensors[k]!.spec.name];
      if (found === undefined) continue;
      if (present !== undefined) present[to] = 1;
      if (size === 1) data[to] = found.data[row.at]!;
      else {
        const values = found.data.subarray(row.at * size, (row.at + 1) * size);
        (data as Float32Array).set(values as Float32Array, to * size);
      }
    }
    this.#rows++;
  }

  finish(): PartTable {
    const rows = this.#rows;
    const ids = this.#shape.integerIds
      ? ({ integer: true, values: this.#integerIds.subarray(0, rows) } as const)
      : ({ integer: false, values: this.#textIds } as const);
    return {
      rows,
      ids,
      masks: this.#shape.masks.map((name, k) => ({ name, data: this.#masks[k]!.subarray(0, rows) })),
      tensors: this.#tensors.map(({ size, data, present }, k) => {
        const { spec } = this.#shape.tensors[k]!;
        return {
          name: spec.name,
          spec,
          size,
          data: data.subarray(0, rows * size),
          present: present?.subarray(0, rows),
        };
      }),
    };
  }
}
