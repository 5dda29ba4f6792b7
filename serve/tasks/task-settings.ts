import type { Request } from "express";
import type { TSchema } from "typebox";
import { UsageError } from "../../schemas/errors.ts";
import { preview } from "../../schemas/validate.ts";
import type { QueryParameter } from "../http/route.ts";

/** Settings of a request: what its schema has beside the data. They may stand in the query, whatever the body is. */

export type RequestSchema = TSchema & { readonly properties: Readonly<Record<string, TSchema>> };

type Query = Request["query"];

type Json = Readonly<Record<string, unknown>>;

/** What JSON Schema says of one setting. */
interface Described {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
}

/** The settings of a schema for pages and clients to read. `data` names the properties that are no settings. */
function settingsOf({ properties }: RequestSchema, data: readonly string[]): QueryParameter[] {
  const settings = Object.entries(properties).filter(([name]) => !data.includes(name));
  return settings.map(([name, property]) => {
    const { description, default: otherwise, ...rest } = property as Described;
    const said = otherwise === undefined ? [] : [`default ${String(otherwise)}`];
    // Without its default as a value: a page would fill it in twice, and the server refuse what is asked for twice.
    return { name, description: [description ?? "", ...said].filter(Boolean).join("; "), schema: rest as TSchema };
  });
}

/** Query parameters of a route, from the schema of its JSON body. */
export function queryOf(schema: RequestSchema, data: readonly string[] = ["inputs"]): QueryParameter[] {
  return settingsOf(schema, data);
}

/** The schema of the same request as a form: files by the names of their inputs, settings as fields. */
export function formOf(schema: RequestSchema): TSchema {
  const files = (name: string): [string, Json] => [
    name,
    {
      type: "array",
      items: { type: "string", format: "binary", contentMediaType: "image/png" },
      examples: [[]],
      description: "PNG files, one a row; or one field with numbers as JSON",
    },
  ];
  const fields = settingsOf(schema, ["inputs"]).map(({ name, description, schema: setting }): [string, Json] => {
    const list = (setting as Described).type === "array";
    return [
      name,
      {
        ...(list ? { type: "string" } : setting),
        description: list ? `${description}; with commas between them` : description,
        examples: [""], // else Swagger UI fills in "string"
      },
    ];
  });
  return {
    type: "object",
    properties: Object.fromEntries([files("view_1"), files("view_2"), ...fields]),
    additionalProperties: { description: "another input of the task, by name: PNG files, or numbers as JSON" },
  } as TSchema;
}

/**
 * The settings of a body and those of the query, as one object. Neither hides the other.
 *
 * @throws UsageError for a setting that stands in both, or twice in the query
 */
export function withQuery(
  settings: Readonly<Record<string, unknown>>,
  { query, schema }: { query: Query; schema: RequestSchema },
): Record<string, unknown> {
  const inQuery = typedSettings(query, schema);
  const both = Object.keys(inQuery).find((name) => Object.hasOwn(settings, name));
  if (both !== undefined) {
    throw new UsageError(`Cannot read request: ${preview(both)} must be in the query or in the body, got it in both`, {
      code: "invalid",
      path: [both],
    });
  }
  return { ...settings, ...inQuery };
}

/**
 * Settings that came as text, in the types of the JSON form.
 *
 * @throws UsageError for one that is there twice
 */
export function typedSettings(texts: Readonly<Query>, { properties }: RequestSchema): Record<string, unknown> {
  const entries = Object.entries(texts).map(([name, text]) => {
    if (typeof text !== "string") throw twice(name);
    return [name, fromText(text, Object.hasOwn(properties, name) ? properties[name]! : {})] as const;
  });
  return Object.fromEntries(entries);
}

function fromText(text: string, { type }: Described): unknown {
  if (type === "array") return text.split(",");
  // Text that is no number stays text, and the schema says what is wanted.
  const isNumber = (type === "integer" || type === "number") && text.trim() !== "" && !Number.isNaN(Number(text));
  return isNumber ? Number(text) : text;
}

export function twice(name: string): UsageError {
  return new UsageError(`Cannot read request: ${preview(name)} must be there once, as text`, {
    code: "invalid",
    path: [name],
  });
}
