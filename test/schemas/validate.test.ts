import { Type } from "typebox";
import { expect, test } from "vitest";
import { discreteRequestSchema } from "../../schemas/estimates.ts";
import { gkVaeConfigSchema } from "../../schemas/gk-vae-config.ts";
import { optimiserSchema } from "../../schemas/recipe.ts";
import { rineInputSchema } from "../../schemas/rine-config.ts";
import { versionPolicySchema } from "../../schemas/serve-config.ts";
import { validate } from "../../schemas/validate.ts";

const image = (size: unknown) => ({ image: { size, channels: 1 }, latents: { common: 1, unique: 1 } });
const table = (...row: unknown[]) => ({ columns: ["l", "r"], rows: [row] });
const pixels = { mean: [0], deviation: [1] };
const adam = { kind: "adam", learningRate: 0.1, beta1: 0, beta2: 0, epsilon: 1, weightDecay: 0 };

test.each([
  ["a constant says its value", Type.Literal(1), 2, '"the document" must be 1, got 2'],
  ["a constant of another type, too", Type.Literal(1), "1", '"the document" must be 1, got "1"'],
  ["a word alone is quoted", Type.Literal("numbers"), 1, '"the document" must be "numbers", got 1'],
  ["a union of constants says all", gkVaeConfigSchema, image(31), '"image.size" must be one of 32, 64, got 31'],
  ["also of another type", gkVaeConfigSchema, image("32"), '"image.size" must be one of 32, 64, got "32"'],
  [
    "a union of types says all",
    discreteRequestSchema,
    table(null, "u"),
    '"rows.0.0" must be string or number, got null',
  ],
  [
    "three types",
    Type.Union([Type.String(), Type.Number(), Type.Null()]),
    [],
    "must be string, number or null, got []",
  ],
  ["a type of several", Type.Unsafe({ type: ["string", "number"] }), null, "must be string or number, got null"],
  ["constants and types", versionPolicySchema, "al", '"the document" must be "all" or object, got "al"'],
  [
    "what only the branch of the value's type wants, not the type of the others",
    Type.Union([Type.Number(), Type.String({ maxLength: 2 })]),
    "abc",
    '"the document" must NOT have more than 2 characters, got "abc"',
  ],
  [
    "what the branch of the value's kind wants, not the kind of the others",
    rineInputSchema,
    { kind: "images", size: 4, ...pixels },
    '"size" must be >= 8, got 4',
  ],
  ["also a key that is missing", rineInputSchema, { kind: "images", size: 32 }, '"mean" is missing'],
  ["also of the second branch", optimiserSchema, { kind: "sgd", learningRate: 1 }, '"momentum" is missing'],
  ["a kind that none has", optimiserSchema, { ...adam, kind: "lion" }, '"kind" must be one of adam, sgd, got "lion"'],
  ["also where more is missing", optimiserSchema, { kind: "lion" }, '"kind" must be one of adam, sgd, got "lion"'],
  ["a path into a union", versionPolicySchema, { latest: 0 }, '"latest" must be >= 1, got 0'],
])("%s in the message", (_what, schema, value, message) => {
  expect(() => validate(schema, value, "test")).toThrow(message);
});
