import type { Manifest, TaskManifest } from "../../schemas/manifest.ts";
import { elementCount, type HostTensor } from "../../schemas/tensor.ts";
import { download, type Progress } from "../download.ts";
import type { Engine } from "../engine/engine.ts";
import type { Feeds } from "../engine/messages.ts";

export type View = 1 | 2;
export const views: readonly View[] = [1, 2];
export const other = (view: View): View => (view === 1 ? 2 : 1);

export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** A block of the representation, with what the page calls it. */
export interface Block {
  readonly name: string;
  readonly title: string;
  readonly dimensions: readonly string[];
}

export interface Gaussians {
  /** [rows, dims] row-major. */
  readonly mean: Float32Array;
  readonly logvar: Float32Array;
  readonly dims: number;
  /** Nats of each dimension, [rows, dims], against the model's own prior; undefined where no task tells. */
  readonly rate?: Float32Array;
}

/** A bundle as the page uses it: everything it knows of a model comes from the manifest. */
export class Model {
  readonly manifest: Manifest;
  /** Folder of the bundle, relative to the page, ending in `/`. */
  readonly base: string;
  readonly #engine: Engine;
  readonly #onProgress: (progress: Progress, what: string) => void;
  readonly #files = new Map<string, Promise<Uint8Array>>();

  constructor(
    manifest: Manifest,
    { base, engine, onProgress }: { base: string; engine: Engine; onProgress: (p: Progress, what: string) => void },
  ) {
    this.manifest = manifest;
    this.base = base;
    this.#engine = engine;
    this.#onProgress = onProgress;
  }

  task(name: string): TaskManifest | undefined {
    return this.manifest.tasks[name];
  }

  /** Tasks of `names` that this model lacks. */
  lacks(...names: readonly string[]): string[] {
    return names.filter((name) => this.task(name) === undefined);
  }

  /** Shape of the images of a view; undefined where the view is not an image. */
  image(view: View): ImageShape | undefined {
    for (const { inputs } of Object.values(this.manifest.tasks)) {
      const shape = inputs.find(({ name, dtype }) => name === `view_${view}` && dtype === "uint8")?.shape;
      if (shape?.length !== 4) continue;
      const [, height = 0, width = 0, channels = 0] = shape;
      if (channels === 1 || channels === 3) return { height, width, channels };
    }
    return undefined;
  }

  /** Names of what the tasks read, each once: "x1", "image"; not codes and noise, which are made here. */
  get inputs(): string[] {
    const made = new Set(this.manifest.latents.map(({ name }) => name));
    const names = Object.values(this.manifest.tasks).flatMap(({ inputs }) => inputs.map(({ name }) => name));
    return [...new Set(names)].filter((name) => !made.has(name) && !name.startsWith("noise_"));
  }

  block(name: string): Block | undefined {
    const found = this.manifest.latents.find((block) => block.name === name);
    return found && { ...found, title: titleOf(name) };
  }

  get blocks(): Block[] {
    return this.manifest.latents.map((block) => ({ ...block, title: titleOf(block.name) }));
  }

  async run(task: string, feeds: Feeds): Promise<Record<string, HostTensor>> {
    const spec = this.task(task);
    if (spec === undefined) throw new Error(`${this.manifest.name} has no task "${task}"`);
    const file = (): Promise<Uint8Array> => this.#file(spec.file, `${task} of ${this.manifest.name}`);
    return (await this.#engine.run(`${this.manifest.name}/${task}`, { file, feeds })).outputs;
  }

  /** Codes of images of one view by its own encoder. */
  async encode(view: View, images: HostTensor): Promise<Record<string, Gaussians>> {
    const outputs = await this.run(`encode_${view}`, { [`view_${view}`]: images });
    const codes: Record<string, Gaussians> = {};
    for (const { name } of this.manifest.latents) {
      const mean = outputs[`${name}_mean`];
      const logvar = outputs[`${name}_logvar`];
      if (mean === undefined || logvar === undefined) continue;
      codes[name] = {
        mean: mean.data as Float32Array,
        logvar: logvar.data as Float32Array,
        dims: mean.shape[1] ?? 1,
      };
    }
    return codes;
  }

  /** Codes of one pair, each view by its own encoder; the common rates by the model itself, where it has the task. */
  async encodePair(images: Readonly<Record<View, HostTensor>>): Promise<Record<View, Record<string, Gaussians>>> {
    const codes = { 1: await this.encode(1, images[1]), 2: await this.encode(2, images[2]) };
    if (!this.tellsRates) return codes;
    const rates = await this.run("common_information", { view_1: images[1], view_2: images[2] });
    for (const view of views) {
      const common = codes[view].common;
      if (common !== undefined)
        codes[view].common = { ...common, rate: rates[`rate_common_${view}`]!.data as Float32Array };
    }
    return codes;
  }

  /** Whether task common_information gives the rate of each common dimension by each view's encoder. */
  get tellsRates(): boolean {
    const outputs = this.task("common_information")?.outputs.map(({ name }) => name) ?? [];
    return views.every((view) => outputs.includes(`rate_common_${view}`));
  }

  /** Images of codes, both views: rows of [rows, dims] by block name. */
  async decode(codes: Readonly<Record<string, Float32Array>>, rows: number): Promise<Record<View, HostTensor>> {
    const feeds: Record<string, HostTensor> = {};
    for (const { name, shape } of this.task("decode")?.inputs ?? []) {
      const data = codes[name] ?? new Float32Array(rows * elementCount(shape.slice(1)));
      feeds[name] = { dtype: "float32", shape: [rows, ...shape.slice(1)], data };
    }
    const outputs = await this.run("decode", feeds);
    return { 1: outputs.view_1!, 2: outputs.view_2! };
  }

  async samplesFile(): Promise<Uint8Array | undefined> {
    const { samples } = this.manifest;
    return samples && this.#file(samples.file, `samples of ${this.manifest.name}`);
  }

  #file(path: string, what: string): Promise<Uint8Array> {
    let file = this.#files.get(path);
    if (file === undefined) {
      file = download(this.base + path, (progress) => this.#onProgress(progress, what)).then(
        (bytes) => new Uint8Array(bytes),
      );
      this.#files.set(path, file);
      file.catch(() => this.#files.delete(path)); // so that "try again" can
    }
    return file;
  }
}

function titleOf(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
