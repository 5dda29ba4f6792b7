import type { Command } from "commander";
import type { PublicDataset } from "../data/catalogue.ts";

interface DataOptions {
  readonly out?: string;
  readonly list?: boolean;
}

/** `cominfo data NAME --out DIR` and `cominfo data --list`. `parts` are replaced in tests. */
export function addDataCommand(
  program: Command,
  parts: { catalogue?: readonly PublicDataset[]; print?: (line: string) => void } = {},
): void {
  program
    .command("data")
    .description("Fetch a public data set, check it, and keep what is already there.")
    .argument("[name]", "data set, see --list")
    .option("--out <folder>", "where its files go")
    .option("--list", "say which data sets there are")
    .action(async (name: string | undefined, options: DataOptions) => {
      const catalogue = parts.catalogue ?? (await import("../data/catalogue.ts")).catalogue;
      const print = parts.print ?? ((line: string) => console.log(line));
      if (options.list) for (const dataset of catalogue) describe(dataset).forEach(print);
      else await bring(await choose(name, options, catalogue), print);
    });
}

async function choose(
  name: string | undefined,
  { out }: DataOptions,
  catalogue: readonly PublicDataset[],
): Promise<{ dataset: PublicDataset; folder: string }> {
  const { UsageError } = await import("../../schemas/errors.ts");
  const { didYouMean } = await import("../../schemas/nearest.ts");
  const names = catalogue.map((dataset) => dataset.name);
  const dataset = catalogue.find((known) => known.name === name);
  if (dataset === undefined) {
    const got = name === undefined ? "none" : `"${name}"${didYouMean(name, names)}`;
    throw new UsageError(`Cannot fetch data: the name must be one of ${names.join(", ")}, got ${got}`);
  }
  if (out === undefined) {
    throw new UsageError(`Cannot fetch data set "${dataset.name}": --out must name a folder, got nothing`);
  }
  return { dataset, folder: out };
}

async function bring(
  { dataset, folder }: { dataset: PublicDataset; folder: string },
  print: (line: string) => void,
): Promise<void> {
  const { fetchDataset } = await import("../data/fetch-dataset.ts");
  const { SingleBar } = await import("cli-progress");
  const bar = new SingleBar({ format: "{file} [{bar}] {percentage} %", clearOnComplete: true, hideCursor: true });
  let current: string | undefined;
  try {
    const results = await fetchDataset(dataset, folder, (file, received) => {
      if (!process.stderr.isTTY) return; // a log gets the closing lines only
      if (current !== file.name) bar.start(file.bytes, 0, { file: file.name });
      current = file.name;
      bar.update(received);
      if (received === file.bytes) bar.stop();
    });
    for (const { name, outcome } of results) print(`${name}: ${outcome}`);
  } finally {
    bar.stop();
  }
  print(`${dataset.name} is complete in ${folder}`);
}

function describe(dataset: PublicDataset): string[] {
  const megabytes = dataset.files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
  return [
    `${dataset.name}: ${dataset.title}; ${megabytes.toFixed(1)} MB; licence ${dataset.licence}`,
    ...dataset.files.map(({ name, md5 }) => `  ${name}  md5 ${md5}`),
  ];
}
