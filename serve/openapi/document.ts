import type { TSchema } from "typebox";
import { errorBodySchema } from "../../schemas/open-inference.ts";
import type { Content, Route } from "../http/route.ts";

/** JSON as it goes into the document. */
type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * The OpenAPI 3.1 document of routes. Its schemas are the objects that ajv compiles: one with a title becomes a
 * component, wherever it stands.
 */
export function openApiDocument(routes: readonly Route[], { version }: { version: string }): object {
  const components = new Map<string, Json>();
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route, components) };
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "cominfo",
      version,
      summary: "What two views have in common, over HTTP",
      description:
        "The Open Inference Protocol, version 2, for any of its clients, and task routes for people. Numbers carry their unit in their name or beside them.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    tags: Object.entries(groups).map(([name, description]) => ({ name, description })),
    security: [{}, { bearer: [] }],
    paths,
    components: {
      schemas: Object.fromEntries(components),
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
    },
  };
}

const groups: Record<Route["group"], string> = {
  tasks: "What a bundle can do, by the same names for every family of models",
  estimates: "Information in bits: of a model's codes, of a posted table, in the background",
  protocol: "Open Inference Protocol, version 2",
  repository: "Triton's model repository extension",
  operation: "Documents and metrics",
};

function operation(route: Route, components: Map<string, Json>): Json {
  const { path, group, summary, description, body, query = [], answers, access } = route;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name: name!,
    in: "path",
    required: true,
    description: pathParameters[name!] ?? "",
    schema: { type: "string" },
  }));
  const inQuery = query.map(({ name, description: text, schema }) => ({
    name,
    in: "query",
    required: false,
    description: text,
    // several names are one text with commas, not one parameter each
    ...("items" in schema ? { style: "form", explode: false } : {}),
    schema: written(schema, components),
  }));
  const responses = Object.entries(answers).map(([status, answer]) => [
    status,
    {
      description: answer.description,
      ...(answer.content === undefined ? {} : { content: contentOf(answer.content, components) }),
    },
  ]);
  return {
    operationId: operationId(route),
    tags: [group],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(access === "operator" ? { security: [{ bearer: [] }] } : access === "open" ? { security: [] } : {}),
    ...(inPath.length + inQuery.length === 0 ? {} : { parameters: [...inPath, ...inQuery] }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: body.required, content: contentOf(body.content, components) } }),
    responses: {
      ...Object.fromEntries(responses),
      default: {
        description: "What went wrong: 400 401 403 404 405 413 415 417 422 429 500 503 504",
        content: contentOf({ "application/json": errorBodySchema }, components),
      },
    },
  };
}

const pathParameters: Readonly<Record<string, string>> = {
  bundle: "name of a bundle, for instance rotated-mnist",
  model: "<bundle>.<task>, or the task alone where one bundle is served",
  version: "a whole number; left out of the path: the newest",
  id: "as it was answered when the estimate was asked for",
};

/** `POST /v2/models/{model}/infer` is `postV2ModelsModelInfer`. */
function operationId({ method, path }: Route): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  return method.toLowerCase() + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join("");
}

function contentOf(content: Content, components: Map<string, Json>): Json {
  const entries = Object.entries(content).map(([type, schema]) => [
    type,
    // 3.1: bytes are described by their media type alone
    schema === "binary" ? {} : { schema: written(schema, components) },
  ]);
  return Object.fromEntries(entries);
}

/** A schema as JSON, what has a title by reference, what has a default not required. */
function written(schema: TSchema, components: Map<string, Json>): Json {
  return referenced(JSON.parse(JSON.stringify(schema)) as Json, components);
}

function referenced(node: Json, components: Map<string, Json>): Json {
  if (Array.isArray(node)) return node.map((entry: Json) => referenced(entry, components));
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node).map(([key, value]) => [key, referenced(value, components)] as const);
  const plain: Record<string, Json> = Object.fromEntries(entries);
  const { required, properties } = node as { readonly [key: string]: Json };
  if (Array.isArray(required)) {
    // The schema's type is that of a checked body, whose defaults are filled in; a body on the wire may leave them out.
    plain.required = required.filter((key: Json) => !hasDefault(properties, key));
  }
  const title = plain.title;
  // A property that is called "title" is a schema, not a text.
  if (typeof title !== "string") return plain;
  components.set(title, plain);
  return { $ref: `#/components/schemas/${title}` };
}

function hasDefault(properties: Json | undefined, key: Json): boolean {
  const property = (properties as Record<string, { readonly default?: Json }> | undefined)?.[String(key)];
  return property?.default !== undefined;
}
