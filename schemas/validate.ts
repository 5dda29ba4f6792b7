import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import type { Static, TSchema } from "typebox";
import { UsageError } from "./errors.ts";
import { didYouMean } from "./nearest.ts";
import { isOfWhole, ofBranchesMeant } from "./union-errors.ts";

const ajv = new Ajv2020({
  allErrors: false,
  useDefaults: true,
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
  discriminator: false,
  verbose: true,
});
const compiled = new WeakMap<TSchema, ValidateFunction>();

/**
 * Checks `value` against `schema`, fills in defaults, and returns it typed.
 *
 * @param action what the caller was about to do, for instance `read recipe "x.json"`: begins the error message
 * @throws UsageError that names the field, the wanted and the actual; an unknown key comes with the nearest valid one
 */
export function validate<S extends TSchema>(schema: S, value: unknown, action: string): Static<S> {
  let check = compiled.get(schema);
  if (check === undefined) {
    check = ajv.compile(schema);
    compiled.set(schema, check);
  }
  if (check(value)) return value as Static<S>;
  const errors = ofBranchesMeant(check.errors ?? []);
  const error = mostTelling(errors);
  throw new UsageError(`Cannot ${action}: ${explain(error, { errors, root: value })}`, {
    code: "invalid",
    path: toPath(error),
  });
}

/** A union reports one error per branch; the deepest one is where the input stopped making sense. */
function mostTelling(errors: readonly ErrorObject[]): ErrorObject {
  const depth = (error: ErrorObject): number =>
    error.instancePath.split("/").length + (error.keyword === "additionalProperties" ? 0.5 : 0);
  return [...errors].sort((a, b) => depth(b) - depth(a))[0]!;
}

function toPath(error: ErrorObject): (string | number)[] {
  const path = error.instancePath
    .split("/")
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const extra = error.params as { additionalProperty?: string; missingProperty?: string };
  const last = extra.additionalProperty ?? extra.missingProperty;
  return last === undefined ? path : [...path, last];
}

function explain(error: ErrorObject, { errors, root }: { errors: readonly ErrorObject[]; root: unknown }): string {
  const field = toPath(error).join(".") || "the document";
  if (error.keyword === "additionalProperties") {
    const key = (error.params as { additionalProperty: string }).additionalProperty;
    const known = Object.keys((error.parentSchema as { properties?: object } | undefined)?.properties ?? {});
    return `unknown key "${field}"${didYouMean(key, known)}`;
  }
  if (error.keyword === "required") return `"${field}" is missing`;
  const wanted = isOfWhole(error)
    ? wantedOf(errors.filter(({ instancePath }) => instancePath === error.instancePath))
    : (error.message ?? "is not valid");
  return `"${field}" ${wanted}, got ${preview(valueAt(root, error.instancePath))}`;
}

/** All that may stand in one place: each branch of a union has an error of its own, and none says the whole. */
function wantedOf(errors: readonly ErrorObject[]): string {
  const values = new Set<unknown>();
  const types = new Set<string>();
  for (const { keyword, params, parentSchema: schema } of errors) {
    // Also where its type is wrong, which says less than its value.
    if (schema?.const !== undefined) values.add(schema.const);
    else if (schema?.enum !== undefined) for (const value of schema.enum) values.add(value);
    else if (keyword === "type") for (const type of [params.type].flat()) types.add(type);
  }
  if (types.size === 0 && values.size > 1) return `must be one of ${[...values].join(", ")}`;
  const all = [...[...values].map((value) => JSON.stringify(value)), ...types];
  const last = all.pop();
  return `must be ${all.length === 0 ? last : `${all.join(", ")} or ${last}`}`;
}

/** A value as JSON of at most 80 characters. Looks no deeper: a stranger's value may be nested beyond any stack. */
export function preview(value: unknown): string {
  const text = shallow(value, 3);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function shallow(value: unknown, depth: number): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "nothing";
  if (Array.isArray(value)) {
    if (depth === 0) return "[...]";
    // 40 entries fill 80 characters.
    return `[${value
      .slice(0, 40)
      .map((entry) => shallow(entry, depth - 1))
      .join(",")}]`;
  }
  if (depth === 0) return "{...}";
  const entries = Object.entries(value).slice(0, 40);
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${shallow(entry, depth - 1)}`).join(",")}}`;
}

function valueAt(root: unknown, pointer: string): unknown {
  return pointer
    .split("/")
    .slice(1)
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], root);
}
