import { EventEmitter } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { Manifest, TensorSpec } from "../../schemas/manifest.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import type {
  InferenceEngine,
  InferenceRequest,
  ModelState,
  ModelStatistics,
  ServedModel,
} from "../../serve/engine/inference-engine.ts";
import { HttpError } from "../../serve/http-error.ts";

/** The engine's face over plain functions: the HTTP side is tested without processes and without ONNX Runtime. */

type Tensors = Readonly<Record<string, HostTensor>>;

export interface FakeTask {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly run: (inputs: Tensors) => Tensors | Promise<Tensors>;
}

export interface FakeBundle {
  readonly name: string;
  readonly latents?: Manifest["latents"];
  readonly tasks: Readonly<Record<string, FakeTask>>;
}

export interface FakeEngine extends InferenceEngine {
  ready: boolean;
  draining: boolean;
  /** What `infer` was asked, in order. */
  readonly asked: InferenceRequest[];
  /** Bundles that are not served. */
  readonly absent: ModelState[];
  /** Pins that were not released. */
  pins: number;
  /** Calls of load and unload. */
  readonly changes: string[];
  /** Next answers of `infer` are this rejection, until it is taken away. */
  fault: Error | undefined;
}

export function spec(
  name: string,
  dtype: TensorSpec["dtype"],
  shape: number[],
  rest: Partial<TensorSpec> = {},
): TensorSpec {
  return { name, dtype, shape, description: `${name} of a test`, ...rest };
}

/** `m.copy` returns the float32 tensor x, of any length, as y. */
export const copyBundle: FakeBundle = {
  name: "m",
  tasks: {
    copy: {
      inputs: [spec("x", "float32", [-1])],
      outputs: [spec("y", "float32", [-1])],
      run: ({ x }) => ({ y: x! }),
    },
  },
};

export function fakeEngine(bundles: readonly FakeBundle[], { maxBatchRows = 4 } = {}): FakeEngine {
  const models = new Map<string, ServedModel & { run: FakeTask["run"] }>();
  for (const bundle of bundles) {
    const manifest = manifestOf(bundle);
    for (const [task, { run }] of Object.entries(bundle.tasks)) {
      const name = `${bundle.name}.${task}`;
      models.set(name, {
        name,
        task,
        run,
        version: "1",
        versions: ["1"],
        spec: manifest.tasks[task]!,
        bundle: manifest,
        device: "cpu",
        instances: 2,
        limits: {
          maxBatchRows,
          maxQueue: 8,
          priorityLevels: 2,
          defaultTimeoutMs: 0,
          defaultPriority: 2,
          maxDelayMs: 1.5,
          preferredBatchRows: [2],
        },
      });
    }
  }

  function find(name: string, version?: string): ServedModel & { run: FakeTask["run"] } {
    const model = models.get(name);
    if (model === undefined) {
      throw new HttpError(`Cannot find model "${name}": it is not in the repository`, {
        status: 404,
        code: "unknown_model",
      });
    }
    if (version !== undefined && version !== model.version) {
      throw new HttpError(`Cannot find version "${version}"`, { status: 404, code: "unknown_version" });
    }
    return model;
  }

  const engine: FakeEngine = {
    ready: true,
    draining: false,
    asked: [],
    absent: [],
    pins: 0,
    changes: [],
    fault: undefined,
    find,
    models: (): ModelState[] => [
      ...[...models.values()].map(({ name, version }) => ({ name, version, status: "READY" as const, reason: "" })),
      ...engine.absent,
    ],
    async infer(request) {
      engine.asked.push(request);
      if (engine.fault !== undefined) throw engine.fault;
      const { run, version } = find(request.model, request.version);
      const all = await run(request.inputs);
      const names = request.outputs ?? Object.keys(all);
      const outputs = Object.fromEntries(names.map((name) => [name, all[name]!]));
      return { version, outputs, timing: { queueMs: 0, computeMs: 1, batchRows: 1 } };
    },
    pin(bundle) {
      const own = [...models.values()].filter((model) => model.bundle.name === bundle);
      if (own.length === 0) return undefined;
      engine.pins++;
      return { models: own, find, infer: engine.infer, release: () => void engine.pins-- };
    },
    load: async (name) => void engine.changes.push(`load ${name}`),
    unload: async (name) => void engine.changes.push(`unload ${name}`),
    refresh: async () => undefined,
    statistics: () => [...models.values()].map(({ name }, index) => statistics(name, index + 1)),
    drain: async () => true,
    close: async () => undefined,
    events: new EventEmitter(),
  };
  return engine;
}

function manifestOf({ name, tasks, latents = [] }: FakeBundle): Manifest {
  const entries = Object.entries(tasks).map(([task, { inputs, outputs }]) => [
    task,
    {
      description: `task ${task} of a test`,
      version: "1",
      file: `${task}/1/model.onnx`,
      sha256: "0".repeat(64),
      bytes: 1,
      opset: 17,
      inputs: [...inputs],
      outputs: [...outputs],
      parity: [],
    },
  ]);
  return {
    format: 1,
    name,
    title: `Bundle ${name} of a test`,
    family: "fake",
    recipe: "fake",
    seed: 1,
    steps: 1,
    parameters: 0,
    created: "2026-01-01T00:00:00Z",
    producer: "test",
    data: { name: "none", summary: "no data", factors: [], provenance: {} },
    latents,
    tasks: Object.fromEntries(entries),
    evaluation: [],
    files: {},
  };
}

/** Counts that tell the fields apart. */
function statistics(name: string, seed: number): ModelStatistics {
  const times = (count: number) => ({ count: count * seed, ns: 1000 * count * seed });
  return {
    name,
    version: "1",
    lastInference: 1_700_000_000_000 + seed,
    inferenceCount: 12 * seed,
    executionCount: 3 * seed,
    inference: {
      success: times(1),
      fail: times(2),
      queue: times(3),
      computeInput: times(4),
      computeInfer: times(5),
      computeOutput: times(6),
    },
    batches: [{ batchSize: 4, computeInput: times(7), computeInfer: times(8), computeOutput: times(9) }],
    outcomes: { success: 1, failure: 2, rejected: 3, timeout: 4, cancelled: 5, worker_lost: 6 },
    dispatches: { full: 1, preferred: 2, delay: 3, idle: 4, drain: 5, share: 6 },
    pending: seed,
  };
}

/** An app on a free port of this machine. */
export async function serveApp(app: RequestListener): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
