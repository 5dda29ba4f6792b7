import type { Manifest } from "../../schemas/manifest.ts";
import { nearest } from "../../schemas/nearest.ts";
import { HttpError, unavailable } from "../http-error.ts";
import type { ModelState, ServedModel } from "./inference-engine.ts";
import type { ModelQueue } from "./model-queue.ts";
import type { ServedBundle } from "./served-bundle.ts";

/** What a request for a model version is answered by. */
export interface ModelEntry {
  readonly model: ServedModel;
  readonly queue: ModelQueue;
  readonly served: ServedBundle;
}

/** A bundle of the repository, served or not. */
export interface BundleEntry {
  readonly name: string;
  readonly served: ServedBundle | undefined;
  readonly status: ModelState["status"];
  /** Why it is not served, or why its newest state is not. */
  readonly reason: string;
}

/** All names that can be asked for. Made anew whenever a bundle comes or goes, so that a request is one look-up. */
export class Directory {
  readonly #bundles: readonly BundleEntry[];
  /** By name: versions, and the one that answers when none is asked for. */
  readonly #models = new Map<string, { versions: Map<string, ModelEntry>; preferred: ModelEntry }>();

  constructor(bundles: readonly BundleEntry[]) {
    this.#bundles = bundles;
    const inService = bundles.flatMap(({ served }) => (served === undefined ? [] : [served]));
    for (const served of inService) {
      for (const entries of entriesByTask(served)) {
        const preferred = entries.at(-1)!;
        const found = { versions: new Map(entries.map((entry) => [entry.model.version, entry])), preferred };
        this.#models.set(preferred.model.name, found);
        // The name that Triton gives the same file when it is pointed at `models/<bundle>`.
        if (inService.length === 1) this.#models.set(preferred.model.task, found);
      }
    }
  }

  /** @throws HttpError as `InferenceEngine.find` */
  find(name: string, version?: string): ModelEntry {
    const found = this.#models.get(name);
    if (found === undefined) throw this.#missing(name);
    if (version === undefined || version === "") return found.preferred;
    const entry = found.versions.get(version);
    if (entry !== undefined) return entry;
    const there = [...found.versions.keys()].map((each) => `"${each}"`).join(" or ");
    throw new HttpError(`Cannot find version "${version}" of model "${name}": it must be ${there}`, {
      status: 404,
      code: "unknown_version",
    });
  }

  /** Each model once, in the version that answers when none is asked for. */
  preferred(): ServedModel[] {
    const entries = [...this.#models.values()].map(({ preferred }) => preferred.model);
    return [...new Set(entries)];
  }

  states(): ModelState[] {
    const good = this.#bundles.flatMap(({ served, status, reason }) =>
      (served?.queues ?? []).map((queue) => {
        const healthy = served!.healthy || status !== "READY";
        return {
          name: queue.name,
          version: queue.spec.version,
          status: healthy ? status : ("UNAVAILABLE" as const),
          reason: healthy ? reason : "no worker could be started",
        };
      }),
    );
    const bad = this.#bundles.filter(({ served }) => served === undefined);
    return [...good, ...bad.map(({ name, status, reason }) => ({ name, version: "", status, reason }))];
  }

  #missing(name: string): HttpError {
    const bundle = this.#bundles.find((each) => name === each.name || name.startsWith(`${each.name}.`));
    if (bundle !== undefined && bundle.served === undefined) {
      const message = `Cannot find model "${name}": bundle "${bundle.name}" is not served. ${bundle.reason}`;
      if (bundle.status === "LOADING" || bundle.status === "UNLOADING") return unavailable(message, "not_ready");
      return new HttpError(message, { status: 404, code: "bad_bundle" });
    }
    // While the first of them are loaded, a task's plain name may be one that will be known.
    const loading = this.#bundles.find(({ status }) => status === "LOADING");
    if (this.#models.size === 0 && loading !== undefined) {
      return unavailable(
        `Cannot find model "${name}": none is served yet, "${loading.name}" is being loaded`,
        "not_ready",
      );
    }
    return unknownModel(name, [...this.#models.keys()]);
  }
}

/** The answer to a name that is none of `known`. */
export function unknownModel(name: string, known: readonly string[]): HttpError {
  const meant = nearestName(name, known);
  const hint = meant === undefined ? "POST /v2/repository/index lists all" : `did you mean "${meant}"?`;
  return new HttpError(`Cannot find model "${name}": it is not in the repository, ${hint}`, {
    status: 404,
    code: "unknown_model",
  });
}

/** The one of `known` that is meant: by its task alone, or mistyped. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  return known.find((each) => each.endsWith(`.${name}`)) ?? nearest(name, known);
}

/** Of each task, its versions, lowest first. */
function entriesByTask(served: ServedBundle): ModelEntry[][] {
  const manifest: Manifest = served.files.manifest;
  const byName = new Map<string, ModelQueue[]>();
  for (const queue of served.queues) byName.set(queue.name, [...(byName.get(queue.name) ?? []), queue]);
  return [...byName].map(([name, queues]) => {
    const versions = queues.map(({ spec }) => spec.version);
    return queues.map((queue) => ({
      queue,
      served,
      model: {
        name,
        task: name.slice(manifest.name.length + 1),
        version: queue.spec.version,
        versions,
        spec: queue.spec,
        bundle: manifest,
        device: served.device,
        instances: served.instances,
        limits: queue.limits,
      },
    }));
  });
}
