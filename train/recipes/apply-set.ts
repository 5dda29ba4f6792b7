import { UsageError } from "../../schemas/errors.ts";
import { didYouMean } from "../../schemas/nearest.ts";
import { preview } from "../../schemas/validate.ts";

/** Keys that are not data: through them an assignment would reach every object of the program. */
const forbidden = new Set(["__proto__", "constructor", "prototype"]);

/**
 * Changes one field of a recipe, which is checked as a whole afterwards.
 *
 * @param assignment `path=value` with a dotted path; the value is JSON, or else a string
 * @throws UsageError for another form, or a path that leads through what is not there or has no keys
 */
export function applySet(recipe: Record<string, unknown>, assignment: string): void {
  const equals = assignment.indexOf("=");
  const keys = assignment.slice(0, Math.max(equals, 0)).split(".");
  if (equals < 1 || keys.some((key) => key === "" || forbidden.has(key))) {
    throw new UsageError(
      `Cannot override the recipe: --set must be path=value, for instance training.logEvery=10, got "${assignment}"`,
    );
  }
  const refused = (why: string): UsageError =>
    new UsageError(`Cannot override the recipe: ${why}`, { code: "invalid", path: keys });
  let target: Record<string, unknown> = recipe;
  for (const [at, key] of keys.slice(0, -1).entries()) {
    if (!Object.hasOwn(target, key)) {
      throw refused(`unknown key "${key}" in "${assignment}"${didYouMean(key, Object.keys(target))}`);
    }
    const next = target[key];
    if (typeof next !== "object" || next === null) {
      const field = keys.slice(0, at + 1).join(".");
      throw refused(`"${field}" of "${assignment}" must be an object to have keys, got ${preview(next)}`);
    }
    target = next as Record<string, unknown>;
  }
  const last = keys.at(-1)!;
  // "length" would be one: no check of the whole sees a list that was cut short.
  if (Array.isArray(target) && !/^\d+$/.test(last)) {
    throw refused(`a key of a list must be a number, got "${last}" in "${assignment}"`);
  }
  target[last] = parseValue(assignment.slice(equals + 1));
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
