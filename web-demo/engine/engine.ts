import type { HostTensor } from "../../schemas/tensor.ts";
import { download, messageOf, type Progress } from "../download.ts";
import type { Backend, Call, Feeds, Reply, Request, RunResult } from "./messages.ts";
import { runtimeFiles } from "./runtime-file.ts";

export type Preference = Backend | "auto";

export interface EngineEvents {
  readonly onProgress: (progress: Progress, what: string) => void;
  /** A line for the visitor: why another backend runs than one might think. */
  readonly onNotice: (text: string) => void;
  /** The backend is known, or has changed. */
  readonly onBackend: (backend: Backend) => void;
}

/** Sessions by name whose files can be had again, when a backend is lost and all have to be reopened. */
export type ModelFile = () => Promise<Uint8Array>;

/**
 * ONNX Runtime in the worker, from the page's side. Starts on first use. What the GPU cannot do, or what it takes with
 * it when it is lost, is done again on WASM, and the visitor is told.
 */
export class Engine {
  backend: Backend | undefined;
  /** Version of ONNX Runtime Web. */
  version = "";
  /** The last runs, milliseconds, newest last. */
  readonly latencies: number[] = [];
  /** Raised each time everything in the worker is lost. */
  generation = 0;
  /** What the visitor asked for, and what it has come to: WASM after a GPU that failed. */
  #wish: Preference;
  #preference: Preference;
  #events: EngineEvents;
  #worker: Worker | undefined;
  #started: Promise<void> | undefined;
  #open = new Map<string, Promise<void>>();
  #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #lastId = 0;

  constructor(preference: Preference, events: EngineEvents) {
    this.#wish = preference;
    this.#preference = preference;
    this.#events = events;
  }

  start(): Promise<void> {
    this.#started ??= this.#startBest().catch((error: unknown) => {
      this.#started = undefined; // so that "try again" can
      throw error;
    });
    return this.#started;
  }

  /**
   * Runs a session, opening it first if need be.
   *
   * @param file of the session, fetched once for each backend
   */
  async run(session: string, { file, feeds }: { file: ModelFile; feeds: Feeds }): Promise<RunResult> {
    const generation = this.generation;
    try {
      return await this.#runOpen(session, { file, feeds });
    } catch (error) {
      // Where the worker was replaced meanwhile, the new one does it.
      if (this.generation === generation && !(await this.leaveGpu(error))) throw error;
      return this.#runOpen(session, { file, feeds });
    }
  }

  /**
   * After a failure: leaves the GPU for WASM, where the same may succeed, and tells the visitor.
   *
   * @returns false where it ran on WASM already, or a file did not arrive: then the failure is the caller's
   */
  async leaveGpu(error: unknown): Promise<boolean> {
    if (this.backend !== "webgpu" || isDownload(error)) return false;
    await this.#fallBack(`The GPU failed (${shortReason(error)})`);
    return true;
  }

  /** Opens a session whose `keep` outputs stay in the worker. For `runKept`; nothing is done again on another backend. */
  async openKept(session: string, { model, keep }: { model: Uint8Array; keep: readonly string[] }): Promise<void> {
    await this.start();
    await this.#call({ kind: "open", session, model, keep });
  }

  async runKept(
    session: string,
    { feeds, load, store }: { feeds: Feeds; load: Record<string, string>; store: Record<string, string> },
  ): Promise<RunResult> {
    return this.#note(await this.#call<RunResult>({ kind: "run", session, feeds, load, store }));
  }

  put(values: ReadonlyMap<string, HostTensor>): Promise<void> {
    return this.#call({ kind: "put", values });
  }

  read(slots: readonly string[]): Promise<Map<string, HostTensor>> {
    return this.#call({ kind: "read", slots });
  }

  /** Changes the backend for good: everything is opened again on first use. A GPU that was left is not tried again. */
  prefer(preference: Preference): void {
    if (preference === this.#wish) return;
    this.#wish = preference;
    this.#preference = preference;
    if (this.#started !== undefined) this.#reset("the backend was changed");
  }

  async #runOpen(session: string, { file, feeds }: { file: ModelFile; feeds: Feeds }): Promise<RunResult> {
    await this.start();
    let open = this.#open.get(session);
    if (open === undefined) {
      open = file().then((model) => this.#call<void>({ kind: "open", session, model, keep: [] }));
      this.#open.set(session, open);
      open.catch(() => this.#open.delete(session));
    }
    await open;
    return this.#note(await this.#call<RunResult>({ kind: "run", session, feeds, load: {}, store: {} }));
  }

  /** For another model: times of the last one are not its own. */
  forgetLatencies(): void {
    this.latencies.length = 0;
  }

  #note(result: RunResult): RunResult {
    this.latencies.push(result.ms);
    if (this.latencies.length > 50) this.latencies.shift();
    return result;
  }

  async #startBest(): Promise<void> {
    const found = await chooseBackend(this.#preference);
    if (found.notice !== undefined) this.#events.onNotice(found.notice);
    if (found.backend === "webgpu") {
      try {
        return await this.#startOn("webgpu");
      } catch (error) {
        if (isDownload(error)) throw error;
        this.#reset("the GPU did not start");
        this.#events.onNotice(`WebGPU did not start (${shortReason(error)}): running on WASM instead.`);
      }
    }
    await this.#startOn("wasm");
  }

  async #startOn(backend: Backend): Promise<void> {
    const runtime = await download(`ort/${runtimeFiles[backend]}`, (progress) =>
      this.#events.onProgress(progress, "the runtime"),
    );
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      if (worker === this.#worker) this.#hear(data); // what a replaced one had still sent speaks of what is gone
    };
    worker.onerror = ({ message }) => this.#rejectAll(message || "the worker could not be loaded");
    this.version = await this.#call<string>({ kind: "start", backend, runtime }, [runtime]);
    this.backend = backend;
    this.forgetLatencies();
    this.#events.onBackend(backend);
  }

  #hear(reply: Reply): void {
    if ("lost" in reply) {
      void this.#fallBack(`The GPU was lost (${reply.lost})`);
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ("error" in reply) waiting?.reject(new Error(reply.error));
    else waiting?.resolve(reply.value as never);
  }

  /** Runs in flight fail, and `run` does them again on WASM. */
  async #fallBack(why: string): Promise<void> {
    if (this.backend === "webgpu") {
      this.#preference = "wasm";
      this.#reset(why);
      this.#events.onNotice(`${why}: running on WASM instead.`);
    }
    await this.start();
  }

  #reset(why: string): void {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#started = undefined;
    this.backend = undefined; // so that a failure and the loss behind it fall back once
    this.#open.clear();
    this.generation++;
    worker?.terminate();
    this.#rejectAll(why);
  }

  #rejectAll(why: string): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(new Error(why));
  }

  #call<Value>(request: Request, transfer: Transferable[] = []): Promise<Value> {
    const worker = this.#worker;
    if (worker === undefined) return Promise.reject(new Error("the worker is gone"));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, ...request } satisfies Call, transfer);
    });
  }
}

/** ONNX Runtime's messages begin with its own file, function and condition; what a visitor may understand comes last. */
function shortReason(error: unknown): string {
  const words = messageOf(error)
    .split(/ERROR_MESSAGE:|was false\./)
    .at(-1)!
    .trim()
    .split(/\s+/)
    .join(" ");
  return words.length > 160 ? `${words.slice(0, 160)} …` : words;
}

function isDownload(error: unknown): boolean {
  return messageOf(error).startsWith("Cannot download");
}

/** `auto`: WebGPU on a real GPU. A software adapter is slower than WASM, and serves tests that ask for it by name. */
async function chooseBackend(preference: Preference): Promise<{ backend: Backend; notice?: string }> {
  if (preference === "wasm") return { backend: "wasm" };
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  if (!adapter) {
    const why = navigator.gpu === undefined ? "This browser has no WebGPU" : "This browser offers no GPU";
    return { backend: "wasm", ...(preference === "webgpu" ? { notice: `${why}: running on WASM instead.` } : {}) };
  }
  if (preference === "auto" && adapter.info.isFallbackAdapter) return { backend: "wasm" };
  return { backend: "webgpu" };
}
