import { expect, test } from "vitest";
import { contrastiveConfigSchema } from "../../schemas/contrastive-config.ts";
import { cvaeConfigSchema } from "../../schemas/cvae-config.ts";
import { disentangleConfigSchema } from "../../schemas/disentangle-config.ts";
import { gkVaeConfigSchema } from "../../schemas/gk-vae-config.ts";
import { judgeConfigSchema } from "../../schemas/judge-config.ts";
import { rineConfigSchema } from "../../schemas/rine-config.ts";
import { wVaeConfigSchema } from "../../schemas/w-vae-config.ts";

const schemas = {
  "gk-vae": gkVaeConfigSchema,
  "w-vae": wVaeConfigSchema,
  cvae: cvaeConfigSchema,
  judge: judgeConfigSchema,
  contrastive: contrastiveConfigSchema,
  disentangle: disentangleConfigSchema,
  rine: rineConfigSchema,
};
/** They count steps, or are the places of columns and channels, which have to be there. */
const countsOther = /Steps$|\.(columns|channels)\.items$/;

/** Dotted paths of the whole numbers without a maximum. */
function unbounded(schema: unknown, path: string): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { type, maximum } = schema as { type?: unknown; maximum?: unknown };
  if (type === "integer") return maximum === undefined && !countsOther.test(path) ? [path] : [];
  return Object.entries(schema).flatMap(([key, value]) =>
    unbounded(value, key === "properties" ? path : `${path}.${key}`),
  );
}

test.each(Object.entries(schemas))("every size of a %s has a most", (family, schema) => {
  expect(unbounded(schema, family)).toEqual([]);
});
