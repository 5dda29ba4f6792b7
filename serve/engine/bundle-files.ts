import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import { type Manifest, manifestSchema, type TaskManifest } from "../../schemas/manifest.ts";
import { validate } from "../../schemas/validate.ts";
import { codeOf, readModelFile } from "./model-file.ts";

/** Bundles as they lie on the disk. */

export interface BundleFiles {
  readonly manifest: Manifest;
  /** SHA-256 of the manifest, which holds those of the files: one that changed tells of any change. */
  readonly digest: string;
  readonly tasks: readonly { readonly task: string; readonly versions: readonly TaskManifest[] }[];
  /** Absolute path of a version's ONNX file. */
  pathOf(spec: TaskManifest): string;
}

/** A folder that is a bundle, or that holds bundles. */
export interface RepositoryFolder {
  /** The one bundle, where the folder is itself one. */
  readonly single: string | undefined;
  /** Names of the bundles that are there now, good or bad. */
  list(): Promise<string[]>;
  /** @throws FailureError or UsageError with the reason why the bundle cannot be served */
  read(name: string): Promise<BundleFiles>;
}

/** @throws UsageError when `folder` is not a folder */
export async function openRepository(folder: string): Promise<RepositoryFolder> {
  const root = path.resolve(folder);
  if (!(await isFolder(root))) {
    throw new UsageError(`Cannot serve "${folder}": it must be a folder of bundles, got nothing there`, {
      code: "no_repository",
    });
  }
  if (await exists(path.join(root, "manifest.json"))) {
    const { manifest } = await readBundle(root);
    return {
      single: manifest.name,
      list: async () => ((await exists(path.join(root, "manifest.json"))) ? [manifest.name] : []),
      read: () => readBundle(root),
    };
  }
  return {
    single: undefined,
    list: () => bundleFolders(root),
    async read(name) {
      const files = await readBundle(path.join(root, name));
      if (files.manifest.name !== name) {
        throw new FailureError(`its manifest's name must be that of its folder, got "${files.manifest.name}"`);
      }
      return files;
    },
  };
}

/** Hidden folders are left alone: a bundle that is being written is one. */
async function bundleFolders(root: string): Promise<string[]> {
  const names = (await readdir(root)).filter((name) => !name.startsWith("."));
  const folders = await Promise.all(names.map((name) => isFolder(path.join(root, name))));
  return names.filter((_, index) => folders[index]).sort();
}

/**
 * Reads a bundle and checks its manifest against the schema and every model file against its SHA-256, so that a bundle
 * that is still being copied is refused. Clients read the reasons: files are named from the repository on, and not from
 * the root of the machine.
 *
 * @throws UsageError or FailureError
 */
async function readBundle(folder: string): Promise<BundleFiles> {
  const base = path.basename(folder);
  const manifestFile = `${base}/manifest.json`;
  const text = await readFile(path.join(folder, "manifest.json"), "utf8").catch((cause: unknown) => {
    throw new FailureError(`Cannot read bundle: ${manifestFile} must be readable, got ${codeOf(cause)}`, { cause });
  });
  const manifest = validate(manifestSchema, parseJson(text, manifestFile), `read ${manifestFile}`);
  const tasks = Object.entries(manifest.tasks).map(([task, spec]) => ({
    task,
    versions: [spec, ...(spec.earlier ?? [])],
  }));
  if (tasks.length === 0) throw new FailureError(`Cannot serve ${manifestFile}: it must have a task, got none`);
  for (const { task, versions } of tasks) {
    if (!/^[A-Za-z0-9_-]+$/.test(task)) {
      throw new FailureError(`Cannot serve ${manifestFile}: task "${task}" must be letters, digits, _ and - only`);
    }
    if (new Set(versions.map(({ version }) => version)).size < versions.length) {
      throw new FailureError(
        `Cannot serve ${manifestFile}: versions of "${task}" must have a number each, got one twice`,
      );
    }
    for (const { version, file, sha256 } of versions) {
      const wanted = `${task}/${version}/model.onnx`;
      if (file !== wanted) {
        throw new FailureError(`Cannot serve ${manifestFile}: file of "${task}" must be ${wanted}, got "${file}"`);
      }
      await readModelFile(path.join(folder, file), { sha256, label: `${base}/${file}` });
    }
  }
  return {
    manifest,
    digest: createHash("sha256").update(text).digest("hex"),
    tasks,
    pathOf: (spec) => path.join(folder, spec.file),
  };
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FailureError(`Cannot read ${file}: it must be JSON, got ${(cause as Error).message}`, { cause });
  }
}

async function isFolder(name: string): Promise<boolean> {
  return (await stat(name).catch(() => undefined))?.isDirectory() ?? false;
}

async function exists(name: string): Promise<boolean> {
  return (await stat(name).catch(() => undefined)) !== undefined;
}
