import type { TSchema } from "typebox";
import { type Hdf5Reader, loadHdf5 } from "../../files/hdf5.ts";
import {
  addOneDigitsOptionsSchema,
  canonicalTasksOptionsSchema,
  cifar10OptionsSchema,
  drawnDigitsOptionsSchema,
  cars3dOptionsSchema,
  dspritesFileOptionsSchema,
  dspritesOptionsSchema,
  labelledDigitsOptionsSchema,
  pngFoldersOptionsSchema,
  rotatedDigitsOptionsSchema,
  shapes3dFileOptionsSchema,
  shapes3dOptionsSchema,
  smallNorbOptionsSchema,
  spritesVideoOptionsSchema,
} from "../../schemas/data.ts";
import { UsageError } from "../../schemas/errors.ts";
import { didYouMean } from "../../schemas/nearest.ts";
import { validate } from "../../schemas/validate.ts";
import { openAddOneDigits } from "./add-one-digits.ts";
import { createCanonicalTasks } from "./canonical-tasks.ts";
import { openCifar10 } from "./cifar10.ts";
import { createDrawnDigits } from "./drawn-digits.ts";
import { openCars3d } from "./cars3d.ts";
import { createDsprites } from "./dsprites.ts";
import { openLabelledDigits } from "./labelled-digits.ts";
import { openDspritesFile, openShapes3dFile } from "./labelled-files.ts";
import type { PairSource } from "./pair-source.ts";
import { openPngFolders } from "./png-folders.ts";
import { openRotatedDigits } from "./rotated-digits.ts";
import { createShapes3d } from "./shapes3d.ts";
import { openSmallNorb } from "./small-norb.ts";
import { openSpritesVideo } from "./sprites-video.ts";

/** The `data` part of a recipe: the name of a source and its options (schemas/data.ts). */
export interface SourceConfig {
  readonly source: string;
  readonly [option: string]: unknown;
}

export interface SourceContext {
  /** Folder with the files of sources that read some, for instance `--data ../shared/data/mnist`. */
  readonly dataDir?: string | undefined;
  /** For sources that read HDF5 files; `loadSource` brings it. */
  readonly hdf5?: Hdf5Reader | undefined;
}

interface SourceKind {
  /** Whether it reads files and so needs `dataDir`. */
  readonly files: boolean;
  /** Whether it may read HDF5 and so needs the reader. */
  readonly hdf5?: boolean;
  open(config: unknown, context: SourceContext): PairSource;
}

const kinds: Readonly<Record<string, SourceKind>> = {
  dsprites: { files: false, open: (config) => createDsprites(checked(dspritesOptionsSchema, config)) },
  shapes3d: { files: false, open: (config) => createShapes3d(checked(shapes3dOptionsSchema, config)) },
  "rotated-digits": {
    files: true,
    open: (config, { dataDir }) => openRotatedDigits(checked(rotatedDigitsOptionsSchema, config), dataDir),
  },
  "add-one-digits": {
    files: true,
    open: (config, { dataDir }) => openAddOneDigits(checked(addOneDigitsOptionsSchema, config), dataDir),
  },
  "labelled-digits": {
    files: true,
    open: (config, { dataDir }) => openLabelledDigits(checked(labelledDigitsOptionsSchema, config), dataDir),
  },
  "drawn-digits": {
    files: false,
    open: (config) => createDrawnDigits(checked(drawnDigitsOptionsSchema, config)),
  },
  "dsprites-file": {
    files: true,
    hdf5: true,
    open: (config, context) => openDspritesFile(checked(dspritesFileOptionsSchema, config), context),
  },
  "shapes3d-file": {
    files: true,
    hdf5: true,
    open: (config, context) => openShapes3dFile(checked(shapes3dFileOptionsSchema, config), context),
  },
  "sprites-video": {
    files: true,
    open: (config, { dataDir }) => openSpritesVideo(checked(spritesVideoOptionsSchema, config), dataDir),
  },
  cars3d: { files: true, open: (config, { dataDir }) => openCars3d(checked(cars3dOptionsSchema, config), dataDir) },
  "small-norb": {
    files: true,
    open: (config, { dataDir }) => openSmallNorb(checked(smallNorbOptionsSchema, config), dataDir),
  },
  "png-folders": {
    files: true,
    open: (config, { dataDir }) => openPngFolders(checked(pngFoldersOptionsSchema, config), dataDir),
  },
  "canonical-tasks": {
    files: false,
    open: (config) => createCanonicalTasks(checked(canonicalTasksOptionsSchema, config)),
  },
  cifar10: {
    files: true,
    open: (config, { dataDir }) => openCifar10(checked(cifar10OptionsSchema, config), dataDir),
  },
};

/** Names that `openSource` knows. */
export const sourceNames: readonly string[] = Object.keys(kinds);

/** Whether the source reads files, so that a command can ask for `--data` before it starts. */
export function sourceNeedsFiles(name: string): boolean {
  return kindOf(name).files;
}

/** Opens any source of pairs, and first loads what it needs to read its files. Errors as of `openSource`. */
export async function loadSource(config: SourceConfig, context: SourceContext = {}): Promise<PairSource> {
  const hdf5 = kindOf(config.source).hdf5 === true ? await loadHdf5() : undefined;
  return openSource(config, { ...context, hdf5 });
}

/**
 * Opens a source of pairs at once: one that needs no library loaded (`loadSource` opens any).
 *
 * @throws UsageError for an unknown source or option (with the nearest valid one), and where files are not there
 * @throws FailureError for files that cannot be read as what they should be
 */
export function openSource(config: SourceConfig, context: SourceContext = {}): PairSource {
  return kindOf(config.source).open(config, context);
}

function kindOf(name: string): SourceKind {
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (kind !== undefined) return kind;
  throw new UsageError(
    `Cannot open data source "${name}": it must be one of ${sourceNames.join(", ")}${didYouMean(name, sourceNames)}`,
    { code: "unknown_source", path: ["source"] },
  );
}

/** On a copy, because validation fills in defaults and a recipe is stored as it was given. */
function checked<S extends TSchema>(schema: S, config: unknown): ReturnType<typeof validate<S>> {
  const { source } = config as { source: string };
  return validate(schema, structuredClone(config), `open data source "${source}"`);
}
