import type { Manifest } from "../../schemas/manifest.ts";
import { download } from "../download.ts";

/** What `models.json` says, which the build or the server writes: folders relative to the page. */
export interface Catalogue {
  /** Bundles, each with a manifest.json. */
  readonly models: readonly string[];
  /** Training steps for the page, each with a training.json. */
  readonly training: readonly string[];
  /** The server has models and shows them to those with a token only, which this page has not got yet. */
  readonly locked?: boolean;
}

export async function readCatalogue(): Promise<Catalogue> {
  return readJson<Catalogue>("models.json");
}

export async function readManifest(folder: string): Promise<Manifest> {
  const manifest = await readJson<Manifest>(`${folder}/manifest.json`);
  if (manifest.format !== 1) {
    throw new Error(`Cannot read ${folder}: its manifest must be of format 1, got ${String(manifest.format)}`);
  }
  return manifest;
}

export async function readJson<Value>(url: string): Promise<Value> {
  const text = new TextDecoder().decode(await download(url));
  try {
    return JSON.parse(text) as Value;
  } catch {
    throw new Error(`Cannot read ${url}: it must be JSON, got "${text.slice(0, 40)}"`);
  }
}
