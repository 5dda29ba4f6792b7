import { UsageError } from "../../schemas/errors.ts";
import type { TensorSpec } from "../../schemas/manifest.ts";
import { meantOrAll, nearest } from "../../schemas/nearest.ts";
import { preview } from "../../schemas/validate.ts";
import type { InferenceEngine, PinnedBundle, ServedModel } from "../engine/inference-engine.ts";
import { HttpError, unavailable } from "../http-error.ts";
import { servedModels } from "../served-models.ts";

/** Which model answers a route: told by the names of tasks and inputs in the manifest, never by the family. */

/** Inputs that are drawn from a seed where nobody gives them; the names are the families' convention. */
export function isNoise({ name }: Pick<TensorSpec, "name">): boolean {
  return name.startsWith("noise_");
}

/**
 * Does something with the models of a bundle, all of one state of it, however it is reloaded meanwhile.
 *
 * @throws HttpError 404 with the nearest bundle, or why this one is not served; 503 while it is being loaded or unloaded
 */
export async function withBundle<T>(
  engine: InferenceEngine,
  bundle: string,
  use: (pinned: PinnedBundle) => Promise<T>,
): Promise<T> {
  const pinned = engine.pin(bundle) ?? refuse(engine, bundle);
  try {
    return await use(pinned);
  } finally {
    pinned.release();
  }
}

function refuse(engine: InferenceEngine, bundle: string): never {
  const state = engine.models().find(({ name, version }) => name === bundle && version === "");
  if (state !== undefined) {
    const message = `Cannot find bundle "${bundle}": it is not served. ${state.reason}`;
    const passing = state.status === "LOADING" || state.status === "UNLOADING";
    throw passing ? unavailable(message, "not_ready") : new HttpError(message, { status: 404, code: "bad_bundle" });
  }
  const served = servedModels(engine);
  const meant = nearest(bundle, [...new Set(served.map((model) => model.bundle.name))]);
  const hint = meant === undefined ? "GET / lists those that are" : `did you mean "${meant}"?`;
  throw new HttpError(`Cannot find bundle ${preview(bundle)}: it is not served, ${hint}`, {
    status: 404,
    code: "unknown_bundle",
  });
}

/**
 * The task of a verb that takes what is given: `encode` with view_1 alone is `encode_1`.
 *
 * @param verb as tasks are named: `encode`, `style_transfer`
 * @param given names of inputs
 * @throws HttpError 404 when the bundle has no such task
 * @throws UsageError when none takes the inputs, or several do and no variant chooses
 */
export function findTask(
  models: readonly ServedModel[],
  { verb, given, variant }: { verb: string; given: readonly string[]; variant?: string | undefined },
): ServedModel {
  const all = models.filter(({ task }) => task === verb || task.startsWith(`${verb}_`));
  if (all.length === 0) {
    const tasks = models.map(({ task }) => task).join(", ");
    throw new HttpError(`Cannot ${verb}: bundle "${models[0]!.bundle.name}" has no such task, it has ${tasks}`, {
      status: 404,
      code: "unknown_task",
    });
  }
  const variants = all.map(({ task }) => task.slice(verb.length + 1));
  const chosen = variant === undefined ? all : all.filter((_, index) => variants[index] === variant);
  if (chosen.length === 0) {
    const known = variants.filter((name) => name !== "").join(", ") || "left out";
    throw new UsageError(`Cannot ${verb}: "variant" must be ${known}, got ${preview(variant)}`, {
      code: "bad_variant",
      path: ["variant"],
    });
  }
  const fitting = chosen.filter(({ spec }) => takes(spec.inputs, given));
  if (fitting.length === 1) return fitting[0]!;
  if (fitting.length === 0) throw misfit(verb, { chosen, given });
  throw new UsageError(
    `Cannot ${verb}: "variant" must be one of ${variants.join(", ")}, which all take these inputs, got none`,
    { code: "bad_variant", path: ["variant"] },
  );
}

function takes(inputs: readonly TensorSpec[], given: readonly string[]): boolean {
  const needed = inputs.filter((spec) => !isNoise(spec)).map(({ name }) => name);
  return (
    needed.every((name) => given.includes(name)) && given.every((name) => inputs.some((spec) => spec.name === name))
  );
}

function misfit(
  verb: string,
  { chosen, given }: { chosen: readonly ServedModel[]; given: readonly string[] },
): UsageError {
  const known = [...new Set(chosen.flatMap(({ spec }) => spec.inputs.map(({ name }) => name)))];
  const foreign = given.find((name) => !known.includes(name));
  if (foreign !== undefined) {
    return new UsageError(`Cannot ${verb}: unknown input ${preview(foreign)}${meantOrAll(foreign, known)}`, {
      code: "bad_inputs",
      path: ["inputs", foreign],
    });
  }
  const forms = chosen.map(({ task, spec }) => {
    const needed = spec.inputs.filter((input) => !isNoise(input)).map(({ name }) => name);
    return `${needed.join(" and ") || "nothing"} (${task})`;
  });
  return new UsageError(`Cannot ${verb}: inputs must be ${forms.join(", or ")}, got ${given.join(" and ") || "none"}`, {
    code: "bad_inputs",
    path: ["inputs"],
  });
}
