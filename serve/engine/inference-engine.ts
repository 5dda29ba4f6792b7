import type { EventEmitter } from "node:events";
import type { Device } from "../../runtime/session.ts";
import type { Manifest, TaskManifest } from "../../schemas/manifest.ts";
import type { HostTensor } from "../../schemas/tensor.ts";

/** The face between the HTTP side, which knows bodies and routes, and the engine, which knows models and workers. */

export interface InferenceEngine {
  /** Every bundle of the start can be asked, and nothing is stopping. */
  readonly ready: boolean;
  /** True from `drain` on: who lets requests in must refuse new ones. */
  readonly draining: boolean;
  /** One entry for each served version of each model, then one for each bundle that is not served, with its reason. */
  models(): readonly ModelState[];
  /**
   * @param version absent: the one that the version policy prefers, the highest
   * @throws HttpError 404 with the nearest name
   * @throws HttpError 503 while the model is being loaded or was unloaded
   */
  find(name: string, version?: string): ServedModel;
  /**
   * @throws UsageError when the tensors do not fit the model as it is served now, or carry more rows than a batch holds
   * @throws HttpError 404 and 503 as `find`; 429 when the queue is full, with Retry-After; 499 when `signal` was
   *   aborted; 503 when the worker was lost while it computed, or the server is stopping; 504 at the deadline
   * @throws FailureError when the model could not compute the answer
   */
  infer(request: InferenceRequest): Promise<InferenceAnswer>;
  /**
   * Keeps a bundle as it is served now for one who asks it several times: however it changes meanwhile, all answers are
   * of one state. A minute after that state was replaced its answers become 503.
   *
   * @returns undefined when it is not served; `models` says why
   */
  pin(bundle: string): PinnedBundle | undefined;
  /**
   * Reads the bundle anew and swaps it in once its workers are warm. Requests that were taken before, and those of who
   * has pinned it, finish on the old one, which also keeps serving when this fails.
   *
   * @param name a bundle, or any of its models
   * @throws HttpError 404 when there is no such bundle
   * @throws HttpError 503 when the server stopped meanwhile
   * @throws FailureError or UsageError when it cannot be loaded
   */
  load(name: string): Promise<void>;
  /** Finishes the requests at hand and ends the bundle's workers, which gives their memory back. */
  unload(name: string): Promise<void>;
  /** Compares the folder with what is served: loads what is new or changed, unloads what is gone. */
  refresh(): Promise<void>;
  /** One entry for each version of each model that was served since the start. */
  statistics(): readonly ModelStatistics[];
  /**
   * Not ready from now on; holds nothing back for a larger batch; waits until nothing is at hand. `infer` goes on: what
   * was let in before may need it several times.
   *
   * @returns false when some were left after `limitMs`
   */
  drain(limitMs: number): Promise<boolean>;
  /** Ends all workers; requests still at hand get 503. */
  close(): Promise<void>;
  readonly events: EventEmitter<EngineEvents>;
}

/** One state of a bundle. */
export interface PinnedBundle {
  /** Its models, each in the version that answers when none is asked for. */
  readonly models: readonly ServedModel[];
  /** As the engine's, among this state's models. */
  find(name: string, version?: string): ServedModel;
  /** As the engine's, answered by this state. */
  infer(request: InferenceRequest): Promise<InferenceAnswer>;
  /** Ends the pin: without it a state that was replaced keeps its workers for a minute. */
  release(): void;
}

export interface InferenceRequest {
  /** `<bundle>.<task>`, or the task alone where exactly one bundle is served. */
  readonly model: string;
  readonly version?: string;
  readonly inputs: Readonly<Record<string, HostTensor>>;
  /** Absent: all outputs of the model. */
  readonly outputs?: readonly string[] | undefined;
  /** As in Triton: 1 is served first, 0 or absent is the model's default level. */
  readonly priority?: number | undefined;
  /** The answer is worthless later than this. Absent or 0: the model's default. */
  readonly timeoutMs?: number | undefined;
  /** Aborted when the client is gone. */
  readonly signal?: CancelSignal | undefined;
}

/** What the engine needs of an AbortSignal, for one listener. */
export interface CancelSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

export interface InferenceAnswer {
  readonly version: string;
  readonly outputs: Readonly<Record<string, HostTensor>>;
  readonly timing: {
    readonly queueMs: number;
    readonly computeMs: number;
    /** Rows that were computed together, without padding. */
    readonly batchRows: number;
  };
}

/** A model version that can be asked. */
export interface ServedModel {
  /** `<bundle>.<task>` */
  readonly name: string;
  readonly task: string;
  readonly version: string;
  /** All versions of this model that can be asked, lowest first. */
  readonly versions: readonly string[];
  readonly spec: TaskManifest;
  readonly bundle: Manifest;
  /** What its workers really run on. */
  readonly device: Device;
  /** Worker processes that are wanted. */
  readonly instances: number;
  readonly limits: ModelLimits;
}

export interface ModelLimits {
  /** Rows of a batch, and so of a request; undefined where rows cannot be told apart: each request runs alone. */
  readonly maxBatchRows: number | undefined;
  /** Requests that may wait. */
  readonly maxQueue: number;
  /** 1 is served first. */
  readonly priorityLevels: number;
  /** 0: none. */
  readonly defaultTimeoutMs: number;
  /** Of requests that name none. */
  readonly defaultPriority: number;
  /** How long a request may be held for others to join it. */
  readonly maxDelayMs: number;
  readonly preferredBatchRows: readonly number[];
}

export type ModelStatus = "LOADING" | "READY" | "UNLOADING" | "UNAVAILABLE";

/** As in Triton's repository index. */
export interface ModelState {
  /** A model's, or a bundle's where its models are not known. */
  readonly name: string;
  /** Empty for a bundle. */
  readonly version: string;
  readonly status: ModelStatus;
  /** Why it is not ready; empty when it is. */
  readonly reason: string;
}

/** How a request ended. */
export type Outcome = "success" | "failure" | "rejected" | "timeout" | "cancelled" | "worker_lost";

/**
 * Why a batch left the queue when it did: it could not grow, reached a preferred size, waited its delay, a worker was
 * free, or it was one worker's share of what waited.
 */
export type DispatchReason = "full" | "preferred" | "delay" | "idle" | "drain" | "share";

export interface EngineEvents {
  request: [RequestEvent];
  batch: [BatchEvent];
  /** `lost` with the number of batches it took along; `failed` when no new one could start. */
  worker: [
    {
      readonly bundle: string;
      readonly change: "started" | "lost" | "failed";
      readonly pid: number | undefined;
      readonly reason: string;
      readonly batches: number;
    },
  ];
  model: [ModelState];
}

export interface RequestEvent {
  readonly model: string;
  readonly version: string;
  readonly outcome: Outcome;
  readonly rows: number;
  readonly queueMs: number;
  /** 0 when it was never computed. */
  readonly computeMs: number;
  readonly totalMs: number;
}

export interface BatchEvent {
  readonly model: string;
  readonly version: string;
  readonly requests: number;
  readonly rows: number;
  /** Rows that were added to reach a bucket. */
  readonly padding: number;
  readonly reason: DispatchReason;
  /** Time in ONNX Runtime. */
  readonly computeMs: number;
}

/** How often, and how long in all. */
export interface Duration {
  readonly count: number;
  readonly ns: number;
}

/** What Triton's statistics route tells of a model version, and the counts behind the metrics. */
export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  /** Milliseconds since 1970 of the last request; 0 before the first. */
  readonly lastInference: number;
  /** Rows answered. */
  readonly inferenceCount: number;
  /** Batches run: rows by batches is the mean batch. */
  readonly executionCount: number;
  readonly inference: {
    readonly success: Duration;
    readonly fail: Duration;
    readonly queue: Duration;
    /** Joining rows and handing them to the worker; running; taking them back and apart. */
    readonly computeInput: Duration;
    readonly computeInfer: Duration;
    readonly computeOutput: Duration;
  };
  readonly batches: readonly {
    readonly batchSize: number;
    readonly computeInput: Duration;
    readonly computeInfer: Duration;
    readonly computeOutput: Duration;
  }[];
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly dispatches: Readonly<Record<DispatchReason, number>>;
  /** Requests waiting or being computed now. */
  readonly pending: number;
}
