import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type PngImage, readPng } from "../../files/png.ts";
import type { PngFoldersOptions } from "../../schemas/data.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import type { Minibatch, PairSource } from "./pair-source.ts";

const ACTION = `open data source "png-folders"`;
const MAX_BYTES = 2 ** 31; // of one view's pixels, which are held in memory
const NAMED = 5; // file names in a message

interface View {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly images: readonly Uint8Array[];
}

/**
 * Pictures of one's own: a folder of PNG files for each view, files of one name being views of one example. An example
 * is drawn uniformly. `view_1`, `view_2`, ... in the order of `folders`: uint8 [size, height, width, channels]; within a
 * folder all sizes are equal. Factors and common information are unknown, labels empty.
 *
 * @throws UsageError if a folder is missing or two folders do not hold the same names; FailureError for files that
 *   cannot be read or are of another size than the first
 */
export function openPngFolders({ folders }: PngFoldersOptions, dataDir: string | undefined): PairSource {
  if (dataDir === undefined) {
    throw new UsageError(
      `Cannot ${ACTION}: it needs folders ${folders.join(", ")}, got no data folder: use \`--data DIR\``,
      {
        code: "no_data",
      },
    );
  }
  const names = folders.map((folder) => namesIn(join(dataDir, folder)));
  for (const [k, others] of names.entries()) requireSame(names[0]!, others, [folders[0]!, folders[k]!]);
  const hash = createHash("sha256");
  const views = folders.map((folder) => readView(join(dataDir, folder), names[0]!, hash));
  const count = names[0]!.length;

  function draw(size: number, random: Parameters<PairSource["draw"]>[1]): Minibatch {
    const rows = Int32Array.from({ length: size }, () => random.integer(count));
    const tensors = views.map(({ images, height, width, channels }, k): [string, HostTensor] => {
      const pixels = height * width * channels;
      const data = new Uint8Array(size * pixels);
      for (const [at, row] of rows.entries()) data.set(images[row]!, at * pixels);
      return [`view_${k + 1}`, { dtype: "uint8", shape: [size, height, width, channels], data }];
    });
    return { tensors: Object.fromEntries(tensors), labels: [{}, {}] };
  }

  return {
    description: {
      name: "png-folders",
      summary: `${count} examples of ${folders.length} views, PNG files of ${folders.map((name) => `"${name}"`).join(", ")}`,
      views: views.map(({ height, width, channels }, k) => ({ name: `view_${k + 1}`, height, width, channels })),
      factors: [],
      provenance: { folders: folders.join(", "), files: String(count * folders.length), pixels: hash.digest("hex") },
    },
    draw,
  };
}

/** Names of the PNG files, in the order of their characters, whatever the file system's is. */
function namesIn(folder: string): string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new UsageError(`Cannot ${ACTION}: it needs a folder "${folder}", got none there`, { code: "no_data" });
  }
  const names = readdirSync(folder).filter((name) => name.toLowerCase().endsWith(".png"));
  if (names.length > 0) return names.sort();
  throw new UsageError(`Cannot ${ACTION}: folder "${folder}" must hold PNG files, got none`, { code: "no_data" });
}

function requireSame(first: readonly string[], second: readonly string[], folders: readonly [string, string]): void {
  const [inFirst, inSecond] = [new Set(first), new Set(second)];
  const missing = [
    ...first.filter((name) => !inSecond.has(name)).map((name) => `${folders[1]}/${name}`),
    ...second.filter((name) => !inFirst.has(name)).map((name) => `${folders[0]}/${name}`),
  ];
  if (missing.length === 0) return;
  const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : "";
  throw new UsageError(
    `Cannot ${ACTION}: files must have the same names in every folder, got none at ${missing.slice(0, NAMED).join(", ")}${more}`,
    { code: "no_pair" },
  );
}

function readView(folder: string, names: readonly string[], hash: ReturnType<typeof createHash>): View {
  let first: PngImage | undefined;
  const images = names.map((name) => {
    const image = readPng(join(folder, name));
    first ??= image;
    const [wanted, actual] = [first, image].map(({ width, height, channels }) => `${width}x${height}x${channels}`);
    if (wanted !== actual) {
      throw bad(
        `"${join(folder, name)}" must be ${wanted} (width, height, channels) as "${names[0]}" is, got ${actual}`,
      );
    }
    if (names.length * image.data.length > MAX_BYTES) {
      throw bad(
        `the pixels of "${folder}" must take at most ${MAX_BYTES} bytes, got ${names.length * image.data.length}`,
      );
    }
    hash.update(image.data);
    return image.data;
  });
  const { height, width, channels } = first!;
  return { height, width, channels, images };
}

function bad(what: string): FailureError {
  return new FailureError(`Cannot ${ACTION}: ${what}`, { code: "bad_data" });
}
