import { EventEmitter } from "node:events";
import type { Device } from "../runtime/session.ts";
import type {
  InferenceEngine,
  InferenceRequest,
  ModelState,
  ModelStatistics,
  ServedModel,
} from "./engine/inference-engine.ts";
import { Gate } from "./gate.ts";
import { HttpError, unavailable } from "./http-error.ts";
import type { Repository } from "./repository.ts";
import type { InferenceWorker } from "./worker.ts";

/** One worker for all bundles, one request at a time, behind the engine's face. */
export function engineOfWorker({
  repository,
  worker,
  device,
}: {
  repository: Repository;
  worker: InferenceWorker;
  device: Device;
}): InferenceEngine {
  const gate = new Gate();
  const isReady = (): boolean => worker.ready && !gate.draining && repository.models.length > 0;
  const fixed = (): never => {
    throw new HttpError("Cannot change the repository: this server reads it once", { status: 503, code: "fixed" });
  };

  function find(name: string, version?: string): ServedModel {
    const model = repository.find(name, version);
    return {
      ...model,
      version: model.spec.version,
      versions: [model.spec.version],
      device,
      limits: { maxBatchRows: 128, maxQueue: 64, priorityLevels: 1, defaultTimeoutMs: 0 },
    };
  }

  function models(): ModelState[] {
    const reason = isReady() ? "" : "the server is starting or stopping";
    const status = isReady() ? ("READY" as const) : ("UNAVAILABLE" as const);
    return [
      ...repository.models.map(({ name, spec }) => ({ name, version: spec.version, status, reason })),
      ...repository.bad.map(({ name, reason }) => ({ name, version: "", status: "UNAVAILABLE" as const, reason })),
    ];
  }

  async function infer({ model, version, inputs, outputs }: InferenceRequest) {
    if (gate.draining) throw unavailable("Cannot infer: the server is stopping", "stopping");
    const leave = gate.enter();
    try {
      const { name, spec } = repository.find(model, version);
      const names = outputs ?? spec.outputs.map((output) => output.name);
      const started = performance.now();
      const tensors = await worker.run({ model: name, inputs, outputs: names });
      const computeMs = performance.now() - started;
      return { version: spec.version, outputs: tensors, timing: { queueMs: 0, computeMs, batchRows: 1 } };
    } finally {
      leave();
    }
  }

  return {
    get ready() {
      return isReady();
    },
    get draining() {
      return gate.draining;
    },
    models,
    find,
    infer,
    load: async () => fixed(),
    unload: async () => fixed(),
    refresh: async () => fixed(),
    statistics: (): ModelStatistics[] => [],
    drain: (limitMs) => gate.drain(limitMs),
    close: () => worker.stop(5000),
    events: new EventEmitter(),
  };
}
