import { type Sweep, sweepSchema } from "../../../schemas/sweep.ts";
import { validate } from "../../../schemas/validate.ts";

/** A plan of two variants and three seeds on the quickest model there is. */
export function smallPlan(changes: Partial<Sweep> = {}): Sweep {
  const plan = {
    format: 1,
    name: "small",
    title: "A small sweep",
    source: "a test",
    recipe: "disentangle-dsprites",
    set: {
      "model.image.size": 32,
      "model.filters": 2,
      "model.latents": 2,
      data: { source: "dsprites", views: 1, size: 32, scales: 1, orientations: 1, positions: 4 },
      "training.steps": 3,
      "training.batchSize": 4,
      "training.logEvery": 1,
      "evaluation.pairs": 100,
    },
    variants: [
      { name: "vae.vanilla", set: { "model.objective": "vae", "model.encoder.kind": "vanilla" } },
      { name: "vae.split", set: { "model.objective": "vae", "model.encoder.branchWidth": 3 } },
    ],
    seeds: [0, 1, 2],
    quantities: { mig: "mig-hist20-means", reconstruction: "reconstruction" },
    comparisons: [{ of: "vae.split", against: "vae.vanilla", quantity: "mig", claim: "higher", source: "figure 3" }],
    charts: [{ title: "Split", variants: ["vae.vanilla", "vae.split"], source: "figure 3" }],
    budgets: { tiny: { label: "one step, one seed", set: { "training.steps": 1 }, seeds: [7] } },
    ...changes,
  };
  return validate(sweepSchema, structuredClone(plan), "read a test's plan");
}
