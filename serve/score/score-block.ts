import type { TensorSpec } from "../../schemas/manifest.ts";
import { elementCount, type HostTensor, type TensorData } from "../../schemas/tensor.ts";
import { firstOutside, outsideWords } from "../../schemas/tensor-range.ts";
import type { TaskModel } from "./bundle.ts";
import type { RowBlock } from "./dataset.ts";
import { isNoise } from "./mapping.ts";
import { drawNoise } from "./noise.ts";
import type { ScoringSession } from "./scoring-session.ts";
import { type Faults, toTensor } from "./to-tensor.ts";

/** What became of the rows of a block. */
export interface ScoredBlock {
  readonly block: RowBlock;
  /** Why a row was not scored; undefined where it was. */
  readonly faults: Faults;
  /** Index into `routes` of the task that answered each row. */
  readonly route: Uint8Array;
  /** Outputs of each route, [batch, ...]; undefined where no row took it. */
  readonly outputs: readonly (Readonly<Record<string, HostTensor>> | undefined)[];
  /** Whether each view was there, by input. */
  readonly has: Readonly<Record<string, Uint8Array>>;
}

export interface BlockSettings {
  /** The task first, then those that stand in where a view is missing. */
  readonly routes: readonly TaskModel[];
  /** Inputs that only the masks ask for. */
  readonly otherViews: readonly TensorSpec[];
  readonly batch: number;
  readonly seed: number;
  readonly resize: boolean;
}

/**
 * Converts a block and runs it. Every run has `batch` rows, the last one padded with zeros, and a bad row is computed
 * as zeros and dropped: rows do not see each other, so a row's numbers are the same whatever stands beside it.
 */
export async function scoreBlock(
  block: RowBlock,
  session: ScoringSession,
  settings: BlockSettings,
): Promise<ScoredBlock> {
  const { routes, otherViews, batch, resize } = settings;
  const { rows } = block;
  const specs = new Map(routes.flatMap(({ spec }) => spec.inputs).map((spec) => [spec.name, spec]));
  const tensors: Record<string, HostTensor> = {};
  const missing: Record<string, Uint8Array> = {};
  const inputFaults: Record<string, Faults> = {};
  for (const spec of [...specs.values(), ...otherViews]) {
    const columns = block.values[spec.name];
    if (columns === undefined) continue; // noise, or a view that is not in the data
    const lacks = block.absent[spec.name]!.slice();
    const faults: Faults = new Array(rows).fill(undefined);
    const data = toTensor(spec, columns, { rows, batch, resize, faults, missing: lacks });
    refuseOutside(spec, data, { faults, rows });
    if (specs.has(spec.name)) tensors[spec.name] = { dtype: spec.dtype, shape: [batch, ...spec.shape.slice(1)], data };
    missing[spec.name] = lacks;
    inputFaults[spec.name] = faults;
  }
  for (const spec of specs.values()) tensors[spec.name] ??= noise(spec, block, settings);

  const { route, faults } = choose(routes, { rows, missing, inputFaults });
  const outputs: (Readonly<Record<string, HostTensor>> | undefined)[] = [];
  for (const [k, model] of routes.entries()) {
    outputs.push(
      route.includes(k) ? await session.run(model.task, feedsOf(model, tensors, routes.length > 1)) : undefined,
    );
  }
  requireFinite({ outputs, route, faults, rows });
  const has = Object.entries(missing).map(([name, lacks]) => [name, lacks.map((bit) => 1 - bit)] as const);
  return { block, faults, route, outputs, has: Object.fromEntries(has) };
}

/** Labels that are no class: their rows are not scored. */
function refuseOutside(spec: TensorSpec, data: TensorData, { faults, rows }: { faults: Faults; rows: number }): void {
  if (spec.range === undefined) return;
  const size = elementCount(spec.shape.slice(1));
  for (let row = 0; row < rows; row++) {
    const own = data.subarray(row * size, (row + 1) * size);
    const at = firstOutside(spec, own);
    if (at !== undefined) faults[row] ??= outsideWords(spec, own[at]);
  }
}

/** Feeds are handed over to the session's thread, so each route but a single one gets its own. */
function feedsOf(
  { spec }: TaskModel,
  tensors: Readonly<Record<string, HostTensor>>,
  copy: boolean,
): Record<string, HostTensor> {
  return Object.fromEntries(
    spec.inputs.map(({ name }) => {
      const tensor = tensors[name]!;
      return [name, copy ? { ...tensor, data: tensor.data.slice() } : tensor];
    }),
  );
}

function noise(
  { name, shape, dtype }: TensorSpec,
  { ids, rows }: RowBlock,
  { batch, seed }: BlockSettings,
): HostTensor {
  const sizes = shape.slice(1);
  const size = elementCount(sizes);
  if (!isNoise({ name, dtype })) throw new Error(`Cannot score: input "${name}" must be mapped`);
  const data = new Float32Array(batch * size);
  for (let row = 0; row < rows; row++) {
    drawNoise(data, { offset: row * size, size }, { seed, input: name, id: String(ids[row]) });
  }
  return { dtype, shape: [batch, ...sizes], data };
}

const NO_ROUTE = 255;

/** The first task whose views a row has; a value that is there and does not fit rejects the row whatever stands in. */
function choose(
  routes: readonly TaskModel[],
  of: {
    readonly rows: number;
    readonly missing: Readonly<Record<string, Uint8Array>>;
    readonly inputFaults: Readonly<Record<string, Faults>>;
  },
): { route: Uint8Array; faults: Faults } {
  const { rows, missing, inputFaults } = of;
  const route = new Uint8Array(rows).fill(NO_ROUTE);
  const faults: Faults = new Array(rows).fill(undefined);
  const inputs = routes[0]!.spec.inputs.map(({ name }) => name);
  for (let row = 0; row < rows; row++) {
    const lacking = inputs.filter((name) => missing[name]?.[row] === 1);
    const found = routes.findIndex(({ spec }) => spec.inputs.every(({ name }) => !lacking.includes(name)));
    faults[row] =
      inputs.map((name) => inputFaults[name]?.[row]).find((fault) => fault !== undefined) ??
      (found < 0 ? `"${lacking.join('" and "')}" ${lacking.length > 1 ? "are" : "is"} missing` : undefined);
    if (faults[row] === undefined) route[row] = found;
  }
  return { route, faults };
}

function requireFinite(of: { outputs: ScoredBlock["outputs"]; route: Uint8Array; faults: Faults; rows: number }): void {
  for (const [k, outputs] of of.outputs.entries()) {
    for (const [name, { dtype, data, shape }] of Object.entries(outputs ?? {})) {
      if (dtype !== "float32") continue;
      const size = elementCount(shape.slice(1));
      for (let i = 0; i < of.rows * size; i++) {
        const value = (data as Float32Array)[i]!;
        if (value - value === 0) continue;
        const row = Math.floor(i / size);
        if (of.route[row] === k) of.faults[row] ??= `output "${name}" must be finite, got ${value}`;
      }
    }
  }
}
