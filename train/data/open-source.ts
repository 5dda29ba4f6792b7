import type { TSchema } from "typebox";
import { dspritesOptionsSchema, rotatedDigitsOptionsSchema, shapes3dOptionsSchema } from "../../schemas/data.ts";
import { UsageError } from "../../schemas/errors.ts";
import { nearest, validate } from "../../schemas/validate.ts";
import { createDsprites } from "./dsprites.ts";
import type { PairSource } from "./pair-source.ts";
import { openRotatedDigits } from "./rotated-digits.ts";
import { createShapes3d } from "./shapes3d.ts";

/** The `data` part of a recipe: the name of a source and its options (schemas/data.ts). */
export interface SourceConfig {
  readonly source: string;
  readonly [option: string]: unknown;
}

export interface SourceContext {
  /** Folder with the files of sources that read some, for instance `--data ../shared/data/mnist`. */
  readonly dataDir?: string | undefined;
}

interface SourceKind {
  /** Whether it reads files and so needs `dataDir`. */
  readonly files: boolean;
  open(config: unknown, context: SourceContext): PairSource;
}

const kinds: Readonly<Record<string, SourceKind>> = {
  dsprites: { files: false, open: (config) => createDsprites(checked(dspritesOptionsSchema, config)) },
  shapes3d: { files: false, open: (config) => createShapes3d(checked(shapes3dOptionsSchema, config)) },
  "rotated-digits": {
    files: true,
    open: (config, { dataDir }) => openRotatedDigits(checked(rotatedDigitsOptionsSchema, config), dataDir),
  },
};

/** Names that `openSource` knows. */
export const sourceNames: readonly string[] = Object.keys(kinds);

/** Whether the source reads files, so that a command can ask for `--data` before it starts. */
export function sourceNeedsFiles(name: string): boolean {
  return kindOf(name).files;
}

/**
 * Opens a source of pairs.
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
  const meant = nearest(name, sourceNames);
  throw new UsageError(
    `Cannot open data source "${name}": it must be one of ${sourceNames.join(", ")}${meant === undefined ? "" : `, did you mean "${meant}"?`}`,
    { code: "unknown_source", path: ["source"] },
  );
}

/** On a copy, because validation fills in defaults and a recipe is stored as it was given. */
function checked<S extends TSchema>(schema: S, config: unknown): ReturnType<typeof validate<S>> {
  const { source } = config as { source: string };
  return validate(schema, structuredClone(config), `open data source "${source}"`);
}
