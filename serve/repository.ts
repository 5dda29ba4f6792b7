import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { FailureError, UsageError } from "../schemas/errors.ts";
import { type Manifest, manifestSchema, type TaskManifest } from "../schemas/manifest.ts";
import { nearest, validate } from "../schemas/validate.ts";
import { HttpError } from "./http-error.ts";
import { codeOf, readModelFile } from "./model-file.ts";

/**
 * The model repository: a folder of bundles, read once. Every task of every bundle is one model.
 *
 * Names: a protocol's model name is one path segment, and task names repeat from bundle to bundle, so a model is
 * called `<bundle>.<task>` (`rotated-mnist.encode`). When exactly one bundle is served its tasks also answer to their
 * plain names (`encode`): those are the names that Triton gives them when it is pointed at `models/<bundle>`.
 */

export interface ServedModel {
  /** `<bundle>.<task>` */
  readonly name: string;
  readonly task: string;
  readonly spec: TaskManifest;
  /** Absolute path of the ONNX file. */
  readonly file: string;
  readonly bundle: Manifest;
}

export interface BadBundle {
  readonly name: string;
  readonly reason: string;
}

export interface Repository {
  readonly folder: string;
  readonly models: readonly ServedModel[];
  /** Bundles that are not served, and why. */
  readonly bad: readonly BadBundle[];
  /** @throws HttpError 404 with the nearest name */
  find(name: string, version?: string): ServedModel;
}

/**
 * Reads a bundle (a folder with `manifest.json`) or a folder of bundles. Manifests are checked against their schema and
 * model files against their SHA-256. In a folder of bundles a bad one is set aside with its reason; hidden folders
 * (a bundle that is being written) are left alone.
 *
 * @throws UsageError when `folder` holds no bundle
 * @throws FailureError when `folder` is itself a bundle, and a bad one
 */
export async function readRepository(folder: string): Promise<Repository> {
  const root = path.resolve(folder);
  if (!(await isFolder(root))) {
    throw new UsageError(`Cannot serve "${folder}": it must be a folder of bundles, got nothing there`, {
      code: "no_repository",
    });
  }
  if (await exists(path.join(root, "manifest.json"))) return repositoryOf(root, await readBundle(root), []);
  const models: ServedModel[] = [];
  const bad: BadBundle[] = [];
  for (const name of await bundleFolders(root)) {
    try {
      const bundle = await readBundle(path.join(root, name));
      if (bundle[0]?.bundle.name !== undefined && bundle[0].bundle.name !== name) {
        throw new FailureError(`its manifest's name must be that of its folder, got "${bundle[0].bundle.name}"`);
      }
      models.push(...bundle);
    } catch (error) {
      if (!(error instanceof UsageError || error instanceof FailureError)) throw error;
      bad.push({ name, reason: error.message });
    }
  }
  if (models.length + bad.length === 0) {
    throw new UsageError(
      `Cannot serve "${folder}": it must hold a bundle (a folder with manifest.json), got none; train and export one first`,
      { code: "no_repository" },
    );
  }
  return repositoryOf(root, models, bad);
}

async function bundleFolders(root: string): Promise<string[]> {
  const names = (await readdir(root)).filter((name) => !name.startsWith("."));
  const folders = await Promise.all(names.map((name) => isFolder(path.join(root, name))));
  return names.filter((_, index) => folders[index]).sort();
}

/**
 * The models of one bundle. Throws UsageError or FailureError with the reason why it cannot be served; clients read it,
 * so it names files from the repository on and not from the root of the machine.
 */
async function readBundle(folder: string): Promise<ServedModel[]> {
  const manifestFile = `${path.basename(folder)}/manifest.json`;
  const text = await readFile(path.join(folder, "manifest.json"), "utf8").catch((cause: unknown) => {
    throw new FailureError(`Cannot read bundle: ${manifestFile} must be readable, got ${codeOf(cause)}`, { cause });
  });
  const bundle = validate(manifestSchema, parseJson(text, manifestFile), `read ${manifestFile}`);
  const tasks = Object.entries(bundle.tasks);
  if (tasks.length === 0) throw new FailureError(`Cannot serve ${manifestFile}: it must have a task, got none`);
  const models: ServedModel[] = [];
  for (const [task, spec] of tasks) {
    if (!/^[A-Za-z0-9_-]+$/.test(task)) {
      throw new FailureError(`Cannot serve ${manifestFile}: task "${task}" must be letters, digits, _ and - only`);
    }
    const wanted = `${task}/${spec.version}/model.onnx`;
    if (spec.file !== wanted) {
      throw new FailureError(`Cannot serve ${manifestFile}: file of "${task}" must be ${wanted}, got "${spec.file}"`);
    }
    const file = path.join(folder, spec.file);
    await readModelFile(file, { sha256: spec.sha256, label: `${path.basename(folder)}/${spec.file}` });
    models.push({ name: `${bundle.name}.${task}`, task, spec, file, bundle });
  }
  return models;
}

function repositoryOf(folder: string, models: readonly ServedModel[], bad: readonly BadBundle[]): Repository {
  const byName = new Map(models.map((model) => [model.name, model]));
  const single = new Set(models.map((model) => model.bundle.name)).size === 1;
  if (single) for (const model of models) byName.set(model.task, model);

  function find(name: string, version?: string): ServedModel {
    const model = byName.get(name);
    if (model === undefined) throw notFound(name);
    if (version !== undefined && version !== model.spec.version) {
      throw new HttpError(
        `Cannot find version "${version}" of model "${name}": it must be "${model.spec.version}", the one there is`,
        { status: 404, code: "unknown_version" },
      );
    }
    return model;
  }

  function notFound(name: string): HttpError {
    const broken = bad.find((bundle) => name === bundle.name || name.startsWith(`${bundle.name}.`));
    if (broken !== undefined) {
      const message = `Cannot find model "${name}": bundle "${broken.name}" is not served. ${broken.reason}`;
      return new HttpError(message, { status: 404, code: "bad_bundle" });
    }
    const meant = nearest(name, [...byName.keys()]);
    const hint = meant === undefined ? "POST /v2/repository/index lists all" : `did you mean "${meant}"?`;
    return new HttpError(`Cannot find model "${name}": it is not in the repository, ${hint}`, {
      status: 404,
      code: "unknown_model",
    });
  }

  return { folder, models, bad, find };
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
