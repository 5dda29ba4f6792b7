import { UsageError } from "../../schemas/errors.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import type { PinnedBundle, ServedModel } from "../engine/inference-engine.ts";
import { requireFinite } from "../protocol/json-tensors.ts";
import { runRows } from "../tasks/run-rows.ts";
import type { GaussianCode, MeasureInput } from "./measure.ts";

/** Everything that is computed by models before a measurement: what the task says in nats, and codes for bounds. */
export async function prepare(
  bundle: Pick<PinnedBundle, "models" | "infer">,
  {
    model,
    inputs,
    signal,
    onProgress = () => undefined,
  }: {
    /** The bundle's measuring task. */
    model: ServedModel;
    inputs: Readonly<Record<string, HostTensor>>;
    signal: AbortSignal;
    onProgress?: (share: number) => void;
  },
): Promise<Omit<MeasureInput, "seed" | "resamples">> {
  const rows = Object.values(inputs)[0]!.shape[0]!;
  if (rows < 2) {
    throw new UsageError(`Cannot measure: there must be at least 2 rows, got ${rows}`, {
      code: "bad_inputs",
      path: ["inputs"],
    });
  }
  const coder = findCoder(bundle.models, Object.keys(inputs));
  const parts = coder === undefined ? 1 : 2;
  const onRows = (done: number) => onProgress(done / rows / parts);
  const tensors = await runRows(bundle, model, { inputs, rows, signal, onRows });
  const inNats = model.spec.outputs.filter(({ unit, dtype }) => unit === "nats" && dtype === "float32");
  const outputs = inNats.map((spec) => ({ spec, tensor: tensors[spec.name]! }));
  for (const { spec, tensor } of outputs) requireFinite(spec.name, tensor);
  const labels = model.spec.inputs.find(
    ({ dtype, shape }) => (dtype === "int32" || dtype === "int64") && shape.length === 1,
  );
  const codes =
    coder === undefined
      ? []
      : readCodes(
          coder.blocks,
          await runRows(bundle, coder.model, {
            inputs,
            rows,
            signal,
            onRows: (done) => onProgress((rows + done) / rows / parts),
          }),
        );
  return {
    outputs,
    codes,
    target: labels && { name: labels.name, labels: Array.from(inputs[labels.name]!.data as Int32Array, Number) },
  };
}

/**
 * The task `encode` where it takes these inputs and tells a block of latents twice, as `<block>_1` and `<block>_2`, each
 * a Gaussian from one view.
 */
function findCoder(models: readonly ServedModel[], given: readonly string[]) {
  const model = models.find(({ task }) => task === "encode");
  if (model === undefined) return undefined;
  const names = model.spec.inputs.map(({ name }) => name);
  if (names.length !== given.length || !names.every((name) => given.includes(name))) return undefined;
  const has = (name: string) =>
    ["mean", "logvar"].every((part) => model.spec.outputs.some((output) => output.name === `${name}_${part}`));
  const blocks = model.bundle.latents.map(({ name }) => name).filter((name) => has(`${name}_1`) && has(`${name}_2`));
  return blocks.length === 0 ? undefined : { model, blocks };
}

function readCodes(blocks: readonly string[], tensors: Readonly<Record<string, HostTensor>>): MeasureInput["codes"] {
  return blocks.map((block) => {
    const code = (view: 1 | 2): GaussianCode => {
      const [mean, logvar] = [`${block}_${view}_mean`, `${block}_${view}_logvar`];
      for (const name of [mean, logvar]) requireFinite(name, tensors[name]!);
      return { mean: tensors[mean]!, logvar: tensors[logvar]! };
    };
    return { block, first: code(1), second: code(2) };
  });
}
