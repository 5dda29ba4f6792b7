import { mutualInformationBits } from "../../information/mutual-information.ts";
import { redundancyAndBits } from "../../information/redundancy-and.ts";
import { redundancyGriffithHoBits } from "../../information/redundancy-griffith-ho.ts";
import { redundancyPenalisedBits } from "../../information/redundancy-penalised.ts";
import type { Figure } from "../../schemas/manifest.ts";
import type { RineConfig, RineProblem } from "../../schemas/rine-config.ts";
import { type CanonicalTask, canonicalTasks } from "../data/canonical-tasks.ts";
import { betaName } from "../models/rine-networks.ts";
import { rineSchedules } from "../models/rine-objective.ts";

/**
 * What theory says of a canonical task, bits: the two definitions that RINE generalises, the whole information, and what
 * the objective's exact optimum is at the weights of the last steps of training.
 *
 * @param steps of the checkpoints that the figures average over
 * @returns nothing for a problem that is no canonical task
 */
export function exactFigures(
  config: RineConfig,
  problem: RineProblem,
  { steps, seed }: { steps: readonly number[]; seed: number },
): Figure[] {
  const name = problem.from ?? problem.name;
  if (!Object.hasOwn(canonicalTasks, name) || config.sources !== 2) return [];
  const joint = canonicalTasks[name as CanonicalTask]();
  const given = { sources: ["x1", "x2"], target: "y" };
  const figure = (quantity: string, value: number, estimator: string): Figure => ({
    quantity: `${quantity.replace("P", problem.name)}`,
    unit: "bits",
    value,
    estimator,
    n: joint.probabilities.length,
    seed,
  });
  const reduced = config.distance.reduction === "mean" ? problem.classes : 1;
  const growth = rineSchedules(config).beta_growth ?? (() => 1);
  // A checkpoint of step s was made by steps that counted 0 .. s - 1.
  const optimum = (beta: number): number =>
    steps.reduce(
      (sum, step) => sum + redundancyPenalisedBits(joint, given, (beta * growth(step - 1)) / reduced) / steps.length,
      0,
    );
  return [
    figure("exact.P.I_and", redundancyAndBits(joint, given), "exact, of the table"),
    figure("exact.P.I_GH", redundancyGriffithHoBits(joint, given), "exact, of the table"),
    figure("exact.P.joint", mutualInformationBits(joint, ["x1", "x2"], "y"), "exact, of the table"),
    ...config.betas.map((beta) =>
      figure(
        `optimum.P.${betaName(beta)}`,
        optimum(beta),
        "exact optimum of the objective over all conditional distributions, at the weights of the checkpoints averaged over",
      ),
    ),
  ];
}
