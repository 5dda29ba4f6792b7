import type { Command } from "commander";
import { UsageError } from "../../schemas/errors.ts";

interface ExportStepFlags {
  readonly out: string;
  readonly data?: string;
  readonly pairs: string;
  readonly set: readonly string[];
}

const examples = `
Examples:
  $ cominfo export-step quickstart --out steps/quickstart
  $ cominfo export-step rotated-mnist --data ../shared/data/mnist --set training.batchSize=32 --out steps/digits
`;

/** Adds the verb `export-step`. */
export function addExportStepCommand(program: Command): void {
  program
    .command("export-step")
    .description("writes a recipe's training step as ONNX files, for training elsewhere: in the browser demo")
    .argument("<recipe>", "name of a recipe, or the path of a JSON file")
    .requiredOption("--out <dir>", "folder of the step")
    .option("--data <dir>", "folder with the files of the dataset, for recipes that read some")
    .option("--pairs <number>", "pairs to train on that go along", "4096")
    .option("--set <path=value>", "any field of the recipe; may be repeated", collect, [])
    .addHelpText("after", examples)
    .action(exportStepVerb);
}

async function exportStepVerb(nameOrFile: string, { out, data, pairs, set }: ExportStepFlags): Promise<void> {
  if (!/^[1-9]\d{0,4}$/.test(pairs)) {
    throw new UsageError(`Cannot export the step: --pairs must be a whole number from 1 to 99999, got "${pairs}"`);
  }
  // Loaded only now: tfjs and the compiler take a second that `cominfo --help` should not.
  const { readRecipe } = await import("../recipes/read-recipe.ts");
  const { loadSource } = await import("../data/open-source.ts");
  const { familyByName } = await import("../models/registry.ts");
  const { exportStep } = await import("../export-step.ts");
  const recipe = await readRecipe(nameOrFile, { set });
  const source = await loadSource(recipe.data, { dataDir: data });
  const family = familyByName(recipe.family);
  const { parameters } = await exportStep({ recipe, family, source, outDir: out, pairs: Number(pairs) });
  console.error(
    `Exported the training step of ${recipe.name} (${parameters.toLocaleString("en")} parameters) to ${out}`,
  );
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
