import type { Command } from "commander";

const examples = `
Examples:
  $ cominfo results runs/rotated-mnist
  $ cominfo results runs/split-encoder-reduced
  $ cominfo results runs/digits-seed-0 runs/digits-seed-1 runs/digits-seed-2
`;

/** Adds the verb `results`. */
export function addResultsCommand(program: Command): void {
  program
    .command("results")
    .description("publishes the figures of evaluated runs in docs/results.json and docs/results.md")
    .argument(
      "<run...>",
      "run folders, of which those of one recipe with different seeds are averaged, and folders of sweeps",
    )
    .option("--docs <dir>", "folder of results.json and results.md", "docs")
    .addHelpText("after", examples)
    .action(async (runs: string[], { docs }: { docs: string }) => {
      const { publishResults } = await import("../evaluate/publish-results.ts");
      const rows = await publishResults(runs, docs);
      console.log(`${rows.length} rows in ${docs}/results.json and ${docs}/results.md`);
    });
}
