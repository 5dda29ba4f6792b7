import type { TSchema } from "typebox";
import { contrastiveConfigSchema } from "../../schemas/contrastive-config.ts";
import { disentangleConfigSchema } from "../../schemas/disentangle-config.ts";
import { cvaeConfigSchema } from "../../schemas/cvae-config.ts";
import { UsageError } from "../../schemas/errors.ts";
import { gkVaeConfigSchema } from "../../schemas/gk-vae-config.ts";
import { judgeConfigSchema } from "../../schemas/judge-config.ts";
import { type RineConfig, rineConfigSchema } from "../../schemas/rine-config.ts";
import { didYouMean } from "../../schemas/nearest.ts";
import { validate } from "../../schemas/validate.ts";
import { wVaeConfigSchema } from "../../schemas/w-vae-config.ts";
import { contrastive } from "./contrastive.ts";
import { cvae } from "./cvae.ts";
import { disentangle } from "./disentangle.ts";
import type { ModelFamily } from "./family.ts";
import { gkVae } from "./gk-vae.ts";
import { judge } from "./judge.ts";
import { rine } from "./rine.ts";
import { checkRineConfig } from "./rine-check.ts";
import { wVae } from "./w-vae.ts";

/** Every model family, with the schema of its part of a recipe. A new family is one line here. */
const entries: readonly { readonly family: ModelFamily<unknown>; readonly schema: TSchema }[] = [
  { family: gkVae as ModelFamily<unknown>, schema: gkVaeConfigSchema },
  { family: wVae as ModelFamily<unknown>, schema: wVaeConfigSchema },
  { family: cvae as ModelFamily<unknown>, schema: cvaeConfigSchema },
  { family: judge as ModelFamily<unknown>, schema: judgeConfigSchema },
  { family: contrastive as ModelFamily<unknown>, schema: contrastiveConfigSchema },
  { family: disentangle as ModelFamily<unknown>, schema: disentangleConfigSchema },
  { family: rine as ModelFamily<unknown>, schema: rineConfigSchema },
];

export const familyNames: readonly string[] = entries.map(({ family }) => family.name);

/** @throws UsageError with the nearest known name */
export function familyByName(name: string): ModelFamily<unknown> {
  return entryOf(name).family;
}

/**
 * The `model` part of a recipe, checked and with its defaults filled in: what the functions of the family take.
 *
 * @param action begins the error message, for instance `read recipe "x.json"`
 * @throws UsageError that names the field, an unknown one with the nearest valid one
 */
export function checkModelConfig(family: string, model: unknown, action: string): Record<string, unknown> {
  const checked = validate(entryOf(family).schema, model, `${action}, model`);
  // Its fields can be right and not fit each other.
  if (family === rine.name) checkRineConfig(checked as RineConfig, `${action}, model`);
  return checked as Record<string, unknown>;
}

function entryOf(name: string): (typeof entries)[number] {
  const entry = entries.find(({ family }) => family.name === name);
  if (entry !== undefined) return entry;
  throw new UsageError(
    `Cannot use model family "${name}": it must be one of ${familyNames.join(", ")}${didYouMean(name, familyNames)}`,
    { code: "unknown_family", path: ["family"] },
  );
}
