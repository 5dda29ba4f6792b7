import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { Logger } from "pino";
import { realDisk, replaceFile } from "../../files/disk.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import { type Estimate, estimateSchema, type MeasureResponse } from "../../schemas/estimates.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { validate } from "../../schemas/validate.ts";
import { HttpError } from "../http-error.ts";
import { binaryEntry, bytesOf, decodeResponse, joinMessage } from "../protocol/binary-tensors.ts";
import { estimateMayPass, type Pause, patiently, pause } from "./patience.ts";

/** What an estimate needs beside its tensors; kept with them. */
export interface EstimateSettings {
  readonly bundle: string;
  readonly kind: string;
  readonly version: string | undefined;
  readonly seed: number;
  readonly resamples: number;
}

export interface EstimateWork extends EstimateSettings {
  readonly inputs: Readonly<Record<string, HostTensor>>;
}

export type RunEstimate = (
  work: EstimateWork,
  options: { readonly signal: AbortSignal; readonly onProgress: (share: number) => void },
) => Promise<MeasureResponse>;

export interface EstimateJobsParts {
  readonly folder: string;
  readonly run: RunEstimate;
  readonly logger: Pick<Logger, "error">;
  /** Between attempts; tests bring their own. */
  readonly pause?: Pause;
}

const mostWaiting = 16;
const mostKept = 100;

/**
 * Estimates in the background, one at a time. Each is two files, `<id>.json` (what is asked of it) and `<id>.input`
 * (settings and tensors), both written whole or not at all: after a restart what was waiting or running starts anew, and gives
 * the answer it would have given, as everything in it is seeded. It does so as well when what it runs on has left; it
 * fails for what is wrong with itself, or after a number of attempts.
 */
export class EstimateJobs {
  readonly #folder: string;
  readonly #run: RunEstimate;
  readonly #logger: Pick<Logger, "error">;
  readonly #pause: Pause;
  readonly #jobs = new Map<string, Estimate>();
  /** Those that are not on disk yet: they count as waiting, and must not be begun. */
  readonly #adding = new Set<string>();
  #current: { readonly id: string; readonly controller: AbortController; readonly done: Promise<void> } | undefined;
  #resumed = false;
  #stopped = false;
  /** Writes in the order they were asked for: the last state of an estimate is the one on disk. */
  #written: Promise<void> = Promise.resolve();

  constructor(parts: EstimateJobsParts) {
    this.#folder = parts.folder;
    this.#run = parts.run;
    this.#logger = parts.logger;
    this.#pause = parts.pause ?? pause;
  }

  /** Reads what an earlier server left, so that it is known. A file that cannot be read is left alone and named in the log. */
  async read(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => [] as string[]);
    const found: Estimate[] = [];
    for (const name of names.filter((file) => /^[0-9a-f-]{36}\.json$/.test(file))) {
      try {
        const text = await readFile(path.join(this.#folder, name), "utf8");
        found.push(validate(estimateSchema, JSON.parse(text), `read ${name}`));
      } catch (error) {
        this.#logger.error({ file: name, reason: (error as Error).message }, "estimate cannot be read");
      }
    }
    for (const job of found.sort((a, b) => a.created.localeCompare(b.created))) {
      this.#jobs.set(job.id, job.state === "running" ? { ...job, state: "waiting", progress: 0 } : job);
    }
  }

  /** Begins with what waits: nothing runs before this is called. */
  resume(): void {
    this.#resumed = true;
    this.#next();
  }

  /** @throws HttpError 429 when too many wait */
  async add(work: EstimateWork): Promise<Estimate> {
    const waiting = [...this.#jobs.values()].filter(({ state }) => state === "waiting" || state === "running").length;
    if (waiting >= mostWaiting) {
      throw new HttpError(`Cannot estimate: at most ${mostWaiting} may wait, got one more`, {
        status: 429,
        code: "queue_full",
        headers: { "Retry-After": "10" },
      });
    }
    const { inputs, ...settings } = work;
    const job: Estimate = {
      id: randomUUID(),
      bundle: work.bundle,
      kind: work.kind,
      state: "waiting",
      created: new Date().toISOString(),
      rows: Object.values(inputs)[0]?.shape[0] ?? 0,
      progress: 0,
    };
    this.#jobs.set(job.id, job); // counted from here on, however long the disk takes
    this.#adding.add(job.id);
    try {
      await mkdir(this.#folder, { recursive: true });
      const entries = Object.entries(inputs);
      const header = { settings, outputs: entries.map(([name, tensor]) => binaryEntry(name, tensor)) };
      const { body, headerLength } = joinMessage(
        header,
        entries.map(([, tensor]) => bytesOf(tensor)),
      );
      const length = Buffer.alloc(8);
      length.writeUInt32LE(headerLength);
      await this.#write(`${job.id}.input`, Buffer.concat([length, body]));
      await this.#save(this.#jobs.get(job.id) ?? job); // it may be cancelled already
    } catch (error) {
      this.#jobs.delete(job.id);
      throw new FailureError(
        `Cannot estimate: the folder of estimates must take files, got ${(error as Error).message}`,
        {
          cause: error,
        },
      );
    } finally {
      this.#adding.delete(job.id);
    }
    await this.#forgetOld();
    this.#next();
    return job;
  }

  /** @throws HttpError 404 */
  find(bundle: string, id: string): Estimate {
    const job = this.#jobs.get(id);
    if (job?.bundle === bundle) return job;
    throw new HttpError("Cannot find estimate: its id must be one that was answered here, got another", {
      status: 404,
      code: "unknown_estimate",
    });
  }

  /** Ends one that waits or runs; one that has ended is forgotten. @throws HttpError 404 */
  async cancel(bundle: string, id: string): Promise<Estimate> {
    const job = this.find(bundle, id);
    if (job.state !== "waiting" && job.state !== "running") {
      await this.#forget(id);
      return job;
    }
    const cancelled: Estimate = { ...job, state: "cancelled" };
    const saved = this.#save(cancelled);
    if (this.#current?.id === id) this.#current.controller.abort();
    await saved;
    return cancelled;
  }

  /** Stops where it is; the one at hand is waiting again for the next server. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#current?.controller.abort();
    await this.#current?.done;
  }

  #next(): void {
    if (this.#current !== undefined || !this.#resumed || this.#stopped) return;
    const job = [...this.#jobs.values()].find(({ id, state }) => state === "waiting" && !this.#adding.has(id));
    if (job === undefined) return;
    const controller = new AbortController();
    const done = this.#work(job, controller.signal).finally(() => {
      this.#current = undefined;
      this.#next();
    });
    this.#current = { id: job.id, controller, done };
  }

  async #work(job: Estimate, signal: AbortSignal): Promise<void> {
    const set = (change: Partial<Estimate>): Estimate => {
      const now = { ...this.#jobs.get(job.id)!, ...change };
      this.#jobs.set(job.id, now);
      return now;
    };
    try {
      await this.#save(set({ state: "running" }));
      const work = await this.#read(job.id);
      // What waits for the signal would wait for ever for one that has been given already.
      if (signal.aborted) return;
      const attempt = (): Promise<MeasureResponse> => {
        set({ progress: 0 });
        return this.#run(work, { signal, onProgress: (progress) => void set({ progress }) });
      };
      const result = await patiently(attempt, { signal, passes: estimateMayPass, pause: this.#pause });
      if (!signal.aborted) await this.#save(set({ state: "done", progress: 1, result }));
    } catch (error) {
      if (signal.aborted) return; // cancelled, or the server stops: both are on disk as they should be
      const known = error instanceof UsageError || error instanceof FailureError || error instanceof HttpError;
      if (!known) this.#logger.error({ error }, "estimate failed");
      const reason = known ? error.message : "Cannot estimate: the server failed, its log says why";
      await this.#save(set({ state: "failed", error: reason })).catch(() => undefined);
    }
  }

  async #read(id: string): Promise<EstimateWork> {
    const file = await readFile(path.join(this.#folder, `${id}.input`));
    const decoded = decodeResponse(file.subarray(8), file.readUInt32LE(0)) as unknown as {
      settings: EstimateSettings;
      outputs: Readonly<Record<string, HostTensor>>;
    };
    return { ...decoded.settings, inputs: decoded.outputs };
  }

  async #save(job: Estimate): Promise<void> {
    this.#jobs.set(job.id, job);
    await this.#write(`${job.id}.json`, Buffer.from(JSON.stringify(job)));
  }

  #write(name: string, content: Uint8Array): Promise<void> {
    const write = this.#written.then(() => replaceFile(realDisk, path.join(this.#folder, name), content));
    this.#written = write.catch(() => undefined);
    return write;
  }

  async #forgetOld(): Promise<void> {
    const ended = [...this.#jobs.values()].filter(({ state }) => state !== "waiting" && state !== "running");
    for (const { id } of ended.slice(0, Math.max(0, ended.length - mostKept))) await this.#forget(id);
  }

  async #forget(id: string): Promise<void> {
    this.#jobs.delete(id);
    for (const suffix of ["json", "input"]) await rm(path.join(this.#folder, `${id}.${suffix}`), { force: true });
  }
}
