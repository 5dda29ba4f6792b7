import type { ErrorObject } from "ajv/dist/2020.js";

/**
 * Leaves out, for each union, the branches that are for another type or another `kind` of value: what they want is no
 * fault of this one. All stay where none is for it, but for a kind that none has, which becomes one error.
 */
export function ofBranchesMeant(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  let kept = errors;
  for (const union of errors.filter(({ keyword }) => keyword === "anyOf")) {
    const branches = union.schema as readonly Branch[];
    const isOf = (error: ErrorObject, k: number) => error.schemaPath.startsWith(`${union.schemaPath}/${k}/`);
    const kind = kindOf(branches, union.data);
    const meant = branches.map((_, k) =>
      kind === undefined
        ? !kept.some((error) => isOf(error, k) && error.instancePath === union.instancePath && isOfWhole(error))
        : kind.known[k] === kind.given,
    );
    if (meant.includes(true)) kept = kept.filter((error) => meant.every((is, k) => is || !isOf(error, k)));
    else if (kind !== undefined)
      kept = [...kept.filter((error) => !branches.some((_, k) => isOf(error, k))), unknown(union, kind)];
  }
  return kept;
}

/** Whether the error is about a value as a whole: another one, or one of another type, has to be in its place. */
export function isOfWhole({ keyword }: ErrorObject): boolean {
  return keyword === "type" || keyword === "const" || keyword === "enum";
}

interface Branch {
  readonly properties?: Readonly<Record<string, { readonly const?: unknown }>>;
}

interface Kind {
  readonly key: string;
  /** Of each branch. */
  readonly known: readonly unknown[];
  readonly given: unknown;
}

/** The property by which all branches are told apart, where the value has it. */
function kindOf(branches: readonly Branch[], value: unknown): Kind | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const knownAs = (key: string) => branches.map(({ properties }) => properties?.[key]?.const);
  const key = Object.keys(branches[0]?.properties ?? {}).find(
    (name) => Object.hasOwn(value, name) && !knownAs(name).includes(undefined),
  );
  return key === undefined ? undefined : { key, known: knownAs(key), given: (value as Record<string, unknown>)[key] };
}

function unknown(union: ErrorObject, { key, known }: Kind): ErrorObject {
  return {
    ...union,
    keyword: "enum",
    instancePath: `${union.instancePath}/${key}`,
    params: { allowedValues: known },
    parentSchema: { enum: known },
  };
}
