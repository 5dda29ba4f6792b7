import { existsSync, readFileSync } from "node:fs";
import type { Command } from "commander";

/** `cominfo start`: from nothing to a served model, by the verbs that a person would type one after the other. */

const recipe = "quickstart";
const run = `runs/${recipe}`;
const repository = "models";
const bundle = `${repository}/${recipe}`;

const about = `
Trains, evaluates, exports and serves the recipe "${recipe}", and says each command it runs.
What is already there is used again: delete ${run} and ${bundle} to start over.
`;

interface Step {
  /** What it makes, said when it is there already. */
  readonly there: string;
  readonly done: () => boolean;
  /** The verb and its arguments. */
  readonly words: () => string[];
}

/** Adds the verb `start`. */
export function addStartCommand(program: Command): void {
  program
    .command("start")
    .description("everything in one go: trains the quickstart, evaluates, exports and serves it")
    .option("--no-serve", "end after publishing")
    .option("--port <number>", "of the server; 0 picks a free one", "8080")
    .addHelpText("after", about)
    .action(async ({ serve, port }: { serve: boolean; port: string }) => {
      const steps: readonly Step[] = [
        {
          there: `the finished run ${run}`,
          done: () => statusOf(run) === "finished",
          words: () => ["train", recipe, "--out", run, ...resumption()],
        },
        {
          there: `its figures, ${run}/results.json`,
          done: () => existsSync(`${run}/results.json`),
          words: () => ["evaluate", run],
        },
        {
          there: `the bundle ${bundle}`,
          done: () => existsSync(`${bundle}/manifest.json`),
          words: () => ["export", run, "--out", bundle],
        },
      ];
      let fresh = false;
      for (const { there, done, words } of steps) {
        // What follows from a step that had to be done again must be done again, too.
        if (!fresh && done()) {
          console.log(`Using ${there}`);
          continue;
        }
        fresh = true;
        await runVerb(program, words());
        if (process.exitCode) return;
      }
      if (serve) await runVerb(program, ["serve", repository, "--port", port]);
    });
}

async function runVerb(program: Command, words: string[]): Promise<void> {
  console.log(`\n$ cominfo ${words.join(" ")}`);
  await program.parseAsync(words, { from: "user" });
}

function statusOf(folder: string): string | undefined {
  if (!existsSync(`${folder}/run.json`)) return undefined;
  return (JSON.parse(readFileSync(`${folder}/run.json`, "utf8")) as { status?: string }).status;
}

/** A run that was stopped goes on; one that never came to a checkpoint starts over. */
function resumption(): string[] {
  if (!existsSync(run)) return [];
  return existsSync(`${run}/checkpoints`) ? ["--resume"] : ["--force"];
}
