import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import type { ServeConfig } from "../../schemas/serve-config.ts";
import { unavailable } from "../http-error.ts";
import { type BundleFiles, openRepository, type RepositoryFolder } from "./bundle-files.ts";
import { bundleOfName, type LoadedFiles } from "./bundle-of-name.ts";
import { type BundleEntry, Directory } from "./directory.ts";
import type {
  EngineEvents,
  InferenceAnswer,
  InferenceEngine,
  InferenceRequest,
  ModelState,
  ModelStatistics,
  PinnedBundle,
  ServedModel,
} from "./inference-engine.ts";
import { ModelQueue } from "./model-queue.ts";
import { batchingOf, bundleOf, checkConfig } from "./options.ts";
import { Retired } from "./retired.ts";
import { ServedBundle } from "./served-bundle.ts";
import { Statistics } from "./statistics.ts";
import { servedVersions } from "./version-policy.ts";

export interface EngineOptions {
  /** A bundle, or a folder of bundles. */
  readonly repository: string;
  readonly config: ServeConfig;
}

/** How long a worker may take to finish the batch at hand when its process is told to end. */
const stopMs = 5000;

const secondLookMs = 250;

interface Slot extends BundleEntry {
  served: ServedBundle | undefined;
  status: ModelState["status"];
  reason: string;
  /** Manifest that was tried last, loaded or not. */
  digest: string | undefined;
  /** Unloaded by hand: stays so until it is loaded by hand. */
  parked: boolean;
  /** Loads and unloads of one bundle happen one after the other. */
  work: Promise<unknown>;
}

/**
 * Opens a repository. `start` loads what is there; until then every bundle in it is one that is being loaded.
 *
 * @throws UsageError when the folder is missing, or the configuration is none
 * @throws FailureError when it is itself a bundle, and a bad one
 */
export async function createEngine({ repository, config }: EngineOptions): Promise<Engine> {
  const checked = checkConfig(config, "serve");
  const folder = await openRepository(repository);
  return new Engine({ folder, names: await folder.list(), path: repository, config: checked });
}

interface EngineParts {
  readonly folder: RepositoryFolder;
  /** Bundles in it. */
  readonly names: readonly string[];
  readonly path: string;
  readonly config: ServeConfig;
}

export class Engine implements InferenceEngine {
  readonly events = new EventEmitter<EngineEvents>();
  readonly #folder: RepositoryFolder;
  readonly #path: string;
  readonly #config: ServeConfig;
  readonly #slots = new Map<string, Slot>();
  readonly #statistics = new Map<string, Statistics>();
  readonly #retired = new Retired();
  #directory: Directory;
  #started = false;
  #draining = false;

  constructor({ folder, names, path, config }: EngineParts) {
    this.#folder = folder;
    this.#path = path;
    this.#config = config;
    for (const name of names) this.#slotOf(name);
    this.#directory = this.#directoryNow();
  }

  /**
   * Loads every bundle. A bad one in a folder of bundles is set aside with its reason.
   *
   * @throws UsageError when there is no bundle
   * @throws FailureError when the only bundle is bad, or a device cannot start
   */
  async start(): Promise<void> {
    if (this.#slots.size === 0) {
      throw new UsageError(
        `Cannot serve "${this.#path}": it must hold a bundle (a folder with manifest.json), got none; train and export one first`,
        { code: "no_repository" },
      );
    }
    const loads = await Promise.allSettled([...this.#slots.values()].map((slot) => this.#load(slot)));
    const errors = loads.flatMap((load) => (load.status === "rejected" ? [load.reason] : []));
    const fatal = errors.find(
      (error) => !isReason(error) || error.code === "no_device" || this.#folder.single !== undefined,
    );
    if (fatal !== undefined) {
      await this.close();
      throw fatal;
    }
    this.#started = true;
  }

  get ready(): boolean {
    if (!this.#started || this.#draining) return false;
    const served = [...this.#slots.values()].flatMap((slot) => slot.served ?? []);
    return served.length > 0 && served.every((bundle) => bundle.healthy);
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Processes that hold the sessions; they change when a worker is replaced. */
  get workerPids(): readonly number[] {
    return [...this.#slots.values()].flatMap((slot) => slot.served?.pids ?? []);
  }

  models(): readonly ModelState[] {
    return this.#directory.states();
  }

  /** The models of all bundles, each in the version that answers when none is asked for. */
  served(): readonly ServedModel[] {
    return this.#directory.preferred();
  }

  find(name: string, version?: string): ServedModel {
    return this.#directory.find(name, version).model;
  }

  infer(request: InferenceRequest): Promise<InferenceAnswer> {
    return submit(this.#directory, request);
  }

  pin(bundle: string): PinnedBundle | undefined {
    const served = this.#slots.get(bundle)?.served;
    if (served === undefined) return undefined;
    const directory = this.#directory; // that of this moment: only it knows this state of the bundle for good
    return {
      models: directory.preferred().filter((model) => model.bundle.name === bundle),
      find: (name, version) => directory.find(name, version).model,
      infer: (request) => submit(directory, request),
      release: served.hold(),
    };
  }

  async load(name: string): Promise<void> {
    const slot = await this.#known(name);
    slot.parked = false;
    await this.#load(slot);
  }

  async unload(name: string): Promise<void> {
    const slot = await this.#known(name);
    slot.parked = true;
    await this.#unload(slot, "It was unloaded");
  }

  async refresh(): Promise<void> {
    let names = await this.#folder.list();
    const isGone = (slot: Slot): boolean => !names.includes(slot.name) && slot.served !== undefined;
    if ([...this.#slots.values()].some(isGone)) {
      // Between the two renames that put a bundle in the place of another there is none for a moment.
      await sleep(secondLookMs);
      names = await this.#folder.list();
    }
    const gone = [...this.#slots.values()].filter(isGone);
    const present = names.map((name) => this.#slotOf(name)).filter((slot) => !slot.parked);
    // A bundle that is bad tells so by its state and its event; the others go on.
    await Promise.allSettled([
      ...gone.map((slot) => this.#unload(slot, "Its folder is gone")),
      ...present.map((slot) => this.#load(slot, { onlyIfChanged: true })),
    ]);
  }

  statistics(): readonly ModelStatistics[] {
    return [...this.#statistics.values()].map((statistics) => statistics.read());
  }

  async drain(limitMs: number): Promise<boolean> {
    this.#draining = true;
    const served = [...this.#slots.values()].flatMap((slot) => slot.served ?? []);
    const limit = new AbortController();
    const drained = Promise.all([...served.map((bundle) => bundle.drain()), this.#retired.ended()]).then(() => true);
    const late = sleep(limitMs, false, { signal: limit.signal }).catch(() => false);
    const done = await Promise.race([drained, late]);
    limit.abort();
    return done;
  }

  async close(): Promise<void> {
    const graceMs = (await this.drain(0)) ? stopMs : 0;
    await this.#retired.stop(graceMs); // an unload waits for them
    await Promise.all([...this.#slots.values()].map((slot) => slot.work.catch(() => undefined)));
    await Promise.all([...this.#slots.values()].map((slot) => slot.served?.stop(graceMs)));
  }

  #slotOf(name: string): Slot {
    let slot = this.#slots.get(name);
    if (slot === undefined) {
      const reason = "It is being loaded";
      slot = {
        name,
        served: undefined,
        status: "LOADING",
        reason,
        digest: undefined,
        parked: false,
        work: Promise.resolve(),
      };
      this.#slots.set(name, slot);
    }
    return slot;
  }

  /** The slot of a bundle, by its name or by that of one of its models. */
  async #known(name: string): Promise<Slot> {
    const loaded: LoadedFiles = (bundle) => {
      const slot = this.#slots.get(bundle);
      return slot && { served: slot.served?.files };
    };
    return this.#slotOf(await bundleOfName(name, { folder: this.#folder, loaded }));
  }

  #load(slot: Slot, { onlyIfChanged = false } = {}): Promise<void> {
    return this.#inTurn(slot, async () => {
      if (slot.served === undefined) this.#tell(slot, "LOADING", "It is being loaded");
      try {
        const files = await this.#folder.read(slot.name);
        if (onlyIfChanged && files.digest === slot.digest && slot.status === "READY") return;
        const next = await this.#serve(files);
        if (this.#draining) {
          await next.stop(0);
          throw unavailable(`Cannot load "${slot.name}": the server is stopping`, "stopping");
        }
        const before = slot.served;
        slot.served = next;
        slot.digest = files.digest;
        this.#tell(slot, "READY", "");
        if (before !== undefined) void this.#retired.add(before, stopMs);
      } catch (error) {
        if (slot.served === undefined) this.#tell(slot, "UNAVAILABLE", messageOf(error));
        else this.#tell(slot, "READY", `Its newest state could not be loaded. ${messageOf(error)}`);
        throw error;
      }
    });
  }

  #unload(slot: Slot, reason: string): Promise<void> {
    return this.#inTurn(slot, async () => {
      const { served } = slot;
      slot.served = undefined;
      this.#tell(slot, "UNLOADING", "It is being unloaded");
      if (served !== undefined) await this.#retired.add(served, stopMs);
      this.#tell(slot, "UNAVAILABLE", reason);
    });
  }

  #inTurn(slot: Slot, work: () => Promise<void>): Promise<void> {
    const done = slot.work.then(work);
    slot.work = done.catch(() => undefined);
    return done;
  }

  #serve(files: BundleFiles): Promise<ServedBundle> {
    const { name: bundle } = files.manifest;
    const options = bundleOf(this.#config, bundle);
    const queues = files.tasks.flatMap(({ task, versions }) =>
      servedVersions(versions, options.versions).map((spec) => {
        const name = `${bundle}.${task}`;
        const statistics = this.#statisticsOf(name, spec.version);
        return new ModelQueue({
          name,
          spec,
          options: batchingOf(this.#config, name),
          statistics,
          events: this.events,
        });
      }),
    );
    if (queues.length === 0) {
      throw new FailureError(`Cannot serve "${bundle}": its version policy must leave a version, got none`);
    }
    return ServedBundle.start({ files, options, queues, events: this.events });
  }

  /** One for a name and version, over all loads. */
  #statisticsOf(name: string, version: string): Statistics {
    const key = `${name}/${version}`;
    let statistics = this.#statistics.get(key);
    if (statistics === undefined) {
      statistics = new Statistics(name, version);
      this.#statistics.set(key, statistics);
    }
    return statistics;
  }

  #directoryNow(): Directory {
    return new Directory([...this.#slots.values()].map((slot) => ({ ...slot })));
  }

  #tell(slot: Slot, status: ModelState["status"], reason: string): void {
    slot.status = status;
    slot.reason = reason;
    this.#directory = this.#directoryNow();
    this.events.emit("model", { name: slot.name, version: "", status, reason });
  }
}

function submit(directory: Directory, request: InferenceRequest): Promise<InferenceAnswer> {
  try {
    const { served, queue } = directory.find(request.model, request.version);
    return served.submit(queue, request);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** What a person is told as it is; anything else is a defect. */
function isReason(error: unknown): error is UsageError | FailureError {
  return error instanceof UsageError || error instanceof FailureError;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
