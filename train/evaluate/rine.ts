import type { RineConfig } from "../../schemas/rine-config.ts";
import type { Findings, Subject } from "./protocol.ts";
import { rineSections } from "./report/rine-sections.ts";
import { exactFigures } from "./rine-exact.ts";
import { type Answers, askNetworks, testExamples } from "./rine-examples.ts";
import { rineFigures } from "./rine-figures.ts";

/** Figures are averaged over as many checkpoints: the authors' last five epochs, where one is kept after each. */
const averaged = 5;

/**
 * RINE: what the networks of each weight still tell when they have to agree, on held-out examples (fresh draws where the
 * source has none), averaged over the newest five checkpoints; and the decomposition that follows.
 */
export async function rineProtocol(subject: Subject): Promise<Findings> {
  const { recipe, source, tasks, pairs, seed, onProgress } = subject;
  const config = recipe.model as RineConfig;
  const examples = testExamples(source, { wanted: pairs, seed });
  const steps = subject.checkpoints.slice(-averaged);
  const newest = steps.at(-1);
  const answers: Readonly<Record<string, Answers>>[] = [];
  for (const step of steps) {
    onProgress(`asking the networks of step ${step}`);
    await tasks.load(step === newest ? subject.values : await subject.valuesAt(step));
    answers.push(await askNetworks(tasks, config, examples));
  }
  const over = steps.length === 1 ? `the checkpoint of step ${newest}` : `the checkpoints of steps ${steps.join(", ")}`;
  const figures = config.problems.flatMap((problem) => {
    onProgress(`measuring ${problem.name}`);
    const checkpoints = answers.map((one) => one[problem.name]!);
    return [
      ...rineFigures({ config, problem, checkpoints, over, seed }),
      ...exactFigures(config, problem, { steps, seed }),
    ];
  });
  return {
    figures,
    tables: (results) => rineSections(results, config),
    pictures: async () => [],
  };
}
