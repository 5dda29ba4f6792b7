/** Entry of the package: `cominfo/train`. Never imported inside. */

export { loadSource, openSource } from "./data/open-source.ts";
export type { Factor, Labels, Minibatch, PairSource, SourceDescription } from "./data/pair-source.ts";
export { inChunks } from "./engine/in-chunks.ts";
export { type LoadedRun, loadRun } from "./engine/load-run.ts";
export { adam, type Optimiser, optimiserOf, sgd } from "./engine/optimisers.ts";
export { runTraining, type TrainingProgress, type TrainingRequest, type TrainingResult } from "./engine/run.ts";
export { buildStep, type StepParts, type StepProgram } from "./engine/step.ts";
export { evaluateRun } from "./evaluate/evaluate-run.ts";
export { type ExportedRun, type ExportRunOptions, exportRun } from "./export-run.ts";
export type * from "./models/family.ts";
export { gkVae } from "./models/gk-vae.ts";
export { familyByName } from "./models/registry.ts";
export { type Random, stream } from "./random.ts";
export { readRecipe, recipeNames } from "./recipes/read-recipe.ts";
