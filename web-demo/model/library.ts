import type { Progress } from "../download.ts";
import type { Engine } from "../engine/engine.ts";
import { type Catalogue, readCatalogue, readManifest } from "./catalogue.ts";
import { Model } from "./model.ts";

/** The bundles of this site, each manifest read once, when it is first wanted. What did not arrive can be asked for again. */
export class Library {
  readonly #engine: Engine;
  readonly #onProgress: (progress: Progress, what: string) => void;
  readonly #models = new Map<string, Promise<Model>>();
  #catalogue: Promise<Catalogue> | undefined;

  constructor({ engine, onProgress }: { engine: Engine; onProgress: (progress: Progress, what: string) => void }) {
    this.#engine = engine;
    this.#onProgress = onProgress;
  }

  catalogue(): Promise<Catalogue> {
    if (this.#catalogue === undefined) {
      this.#catalogue = readCatalogue();
      this.#catalogue.catch(() => this.forgetCatalogue());
    }
    return this.#catalogue;
  }

  /** The server may show another one now. */
  forgetCatalogue(): void {
    this.#catalogue = undefined;
  }

  model(folder: string): Promise<Model> {
    let model = this.#models.get(folder);
    if (model === undefined) {
      const parts = { base: `${folder}/`, engine: this.#engine, onProgress: this.#onProgress };
      model = readManifest(folder).then((manifest) => new Model(manifest, parts));
      this.#models.set(folder, model);
      model.catch(() => this.#models.delete(folder));
    }
    return model;
  }

  /** By the name in the address; undefined where the site has none of it, or it did not arrive. */
  async named(name: string | undefined): Promise<Model | undefined> {
    if (name === undefined) return undefined;
    try {
      const folder = (await this.catalogue()).models.find((one) => nameOf(one) === name);
      return folder === undefined ? undefined : await this.model(folder);
    } catch {
      return undefined; // said by whoever shows it
    }
  }

  /** Folder of the first bundle that fits; undefined where none does. */
  async first(fits: (model: Model) => boolean): Promise<string | undefined> {
    const { models: folders } = await this.catalogue();
    const known = await Promise.all(folders.map((folder) => this.model(folder).catch(() => undefined)));
    return folders[known.findIndex((model) => model !== undefined && fits(model))];
  }
}

export function nameOf(folder: string): string {
  return folder.split("/").at(-1)!;
}
