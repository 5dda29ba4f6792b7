import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp, expressOf, routesOf } from "../../../serve/app.ts";
import { createMetrics } from "../../../serve/edge/metrics.ts";
import { openApiDocument } from "../../../serve/openapi/document.ts";
import { docsPolicy } from "../../../serve/openapi/docs-routes.ts";
import { copyBundle, type FakeEngine, fakeEngine, serveApp } from "../fake-engine.ts";

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: object }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema?: object }> };
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema?: object }> }>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, object> };
}

let engine: FakeEngine;
let url: string;
let close: () => Promise<void>;
let document: Document;

beforeAll(async () => {
  engine = fakeEngine([copyBundle]);
  const app = createApp({ engine, bodyLimit: 1 << 16 });
  ({ url, close } = await serveApp(app));
  document = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
});

afterAll(() => close());

const operations = (): [string, string, Operation][] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [path, method, operation] as [string, string, Operation]),
  );

/** A validator of a schema of the document, with the components it refers to. */
function validator(schema: object) {
  const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true });
  ajv.addKeyword("components");
  return ajv.compile({ ...schema, components: { schemas: document.components.schemas } } as object);
}

describe("the OpenAPI document", () => {
  test("requires of a body no more than the server does: what has a default may be left out", () => {
    const bodyOf = (path: string): object => {
      const { $ref } = document.paths[path]!.post!.requestBody!.content["application/json"]!.schema as { $ref: string };
      return document.components.schemas[$ref.split("/").at(-1)!]!;
    };
    expect(validator(bodyOf("/v1/{bundle}/encode"))({ inputs: { view_1: [[1]] } })).toBe(true);
    expect(validator(bodyOf("/v1/{bundle}/estimates"))({ inputs: { view_1: [[1]], view_2: [[1]] } })).toBe(true);
    expect(validator(bodyOf("/v1/{bundle}/joint"))({})).toBe(true);
    expect(validator(bodyOf("/v1/discrete-information"))({})).toBe(false);
  });

  test("names every route of Express, and no other", () => {
    const app = expressOf({ engine, bodyLimit: 1 }, createMetrics(engine, { version: "1" })) as unknown as {
      router: { stack: { route?: { path: string; stack: { method?: string }[] } }[] };
    };
    const mounted = new Set(
      app.router.stack.flatMap(({ route }) =>
        route === undefined
          ? []
          : route.stack
              .filter(({ method }) => method !== undefined)
              .map(({ method }) => `${method} ${route.path.replaceAll(/:(\w+)/g, "{$1}")}`),
      ),
    );
    const documented = new Set(operations().map(([path, method]) => `${method} ${path}`));
    expect([...documented].sort()).toEqual([...mounted].sort());
    expect(documented.size).toBeGreaterThan(15);
  });

  test("is 3.1, its operations have names of their own, and its references lead somewhere", () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    const ids = operations().map(([, , operation]) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name]) => name!,
    );
    expect(references.length).toBeGreaterThan(10);
    expect(references.filter((name) => !(name in document.components.schemas))).toEqual([]);
  });

  test("lists the parameters of each path, and an error body for each operation", () => {
    for (const [path, , { parameters = [], responses }] of operations()) {
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
      expect(parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name)).toEqual(wanted);
      expect(responses.default!.content!["application/json"]!.schema).toEqual({ $ref: "#/components/schemas/Error" });
    }
  });

  test("has only schemas that ajv compiles in strict mode", () => {
    for (const name of Object.keys(document.components.schemas)) {
      expect(() => validator({ $ref: `#/components/schemas/${name}` }), name).not.toThrow();
    }
  });

  test("has the schemas of the code: an unknown key, a wrong type and a missing field are refused", () => {
    const infer = validator({ $ref: "#/components/schemas/InferRequest" });
    const input = { name: "x", shape: [1], datatype: "FP32", data: [1] };
    expect(infer({ inputs: [input] })).toBe(true);
    expect(infer({ inputs: [input], extra: 1 })).toBe(false);
    expect(infer({ inputs: [{ ...input, shape: "1" }] })).toBe(false);
    expect(infer({})).toBe(false);
  });

  test("describes what GET routes really answer, errors too", async () => {
    const get = operations().filter(([path, method]) => method === "get" && path.startsWith("/v2"));
    for (const model of ["m.copy", "m.none"]) {
      for (const [path, , { responses }] of get) {
        const at = path.replace("{model}", model).replace("{version}", "1");
        const answer = await fetch(url + at);
        const described = responses[answer.status] ?? responses.default!;
        const check = validator(described.content!["application/json"]!.schema!);
        expect(check(await answer.json()), `${at} ${JSON.stringify(check.errors)}`).toBe(true);
      }
    }
  });

  test("a schema is one component wherever it stands, and its title is no longer there", () => {
    const { components, paths } = openApiDocument(
      routesOf({ engine, bodyLimit: 1 }, createMetrics(engine, { version: "1" })),
      { version: "1" },
    ) as Document;
    expect(JSON.stringify(paths)).not.toContain('"title"');
    expect(Object.keys(components.schemas)).toContain("InferInput");
  });

  const queryOf = ({ parameters = [] }: Operation) => parameters.filter((parameter) => parameter.in === "query");
  const places = { bundle: "m", model: "m.copy", version: "1", id: "1", file: "start.js" };
  const placed = (path: string): string =>
    path.replaceAll(/\{(\w+)\}/g, (_, name: keyof typeof places) => places[name]);

  test("lists the settings of each /v1 body as query parameters, and the server takes those and no other", async () => {
    const settings: Record<string, string[]> = {};
    for (const [path, method, operation] of operations().filter(([path]) => path.startsWith("/v1/"))) {
      const names = queryOf(operation).map(({ name }) => name);
      settings[`${method} ${path.replace("/v1/", "").replace("{bundle}/", "")}`] = names;
      const ask = async (name: string) => {
        const answer = await fetch(`${url}${placed(path)}?${name}=1`, { method: method.toUpperCase() });
        return ((await answer.json()) as { error?: string }).error ?? "";
      };
      for (const name of names) expect(await ask(name), `${path} ${name}`).not.toContain("unknown key");
      for (const name of ["inputs", "nothing"]) expect(await ask(name), path).toContain(`unknown key "${name}"`);
    }
    const task = ["input", "variant", "seed", "samples", "outputs", "images", "version"];
    const measure = ["input", "seed", "resamples", "version"];
    expect(settings).toEqual({
      ...Object.fromEntries(
        ["encode", "decode", "conditional", "style-transfer", "joint", "predict"].map((verb) => [`post ${verb}`, task]),
      ),
      "post traverse": ["input", "dimension", "from", "to", "steps", "outputs", "images", "version"],
      "post common-information": measure,
      "post redundant-information": measure,
      "post estimates": [...measure, "kind"],
      "get estimates/{id}": [],
      "delete estimates/{id}": [],
      "post discrete-information": ["seed"],
    });
  });

  test("has no query parameters where the route reads no query", async () => {
    const operator = "operator-token-0123456789";
    const tokens = { operator };
    const app = expressOf({ engine, bodyLimit: 1 << 16, tokens }, createMetrics(engine, { version: "1" }));
    let read = 0;
    Object.defineProperty(app.request, "query", { get: () => ({ seed: String(++read) }) });
    const served = await serveApp(app);
    const headers = { authorization: `Bearer ${operator}`, "content-type": "application/json" };
    const silent = operations().filter(([path]) => !path.startsWith("/v1/"));
    expect(silent.length).toBeGreaterThan(15);
    for (const [path, method, operation] of silent) {
      expect(queryOf(operation), path).toEqual([]);
      const body = method === "post" ? { body: '{"inputs":[]}' } : {};
      await (await fetch(served.url + placed(path), { method: method.toUpperCase(), headers, ...body })).text();
      expect(read, path).toBe(0);
    }
    await served.close();
  });

  test("describes forms: files by the names of views, settings as fields, other inputs by name", () => {
    const forms = operations().flatMap(([path, , { requestBody }]) => {
      const schema = requestBody?.content["multipart/form-data"]?.schema;
      return schema === undefined ? [] : [[path, schema as { properties: Record<string, object> }] as const];
    });
    expect(forms).toHaveLength(10);
    for (const [path, schema] of forms) {
      const { view_1, view_2, ...fields } = schema.properties;
      for (const files of [view_1, view_2]) {
        expect(files).toMatchObject({ type: "array", items: { contentMediaType: "image/png" } });
      }
      const query = queryOf(document.paths[path]!.post!).map(({ name }) => name);
      expect(["input", ...Object.keys(fields)]).toEqual(query);
      expect(Object.values(fields).filter((field) => "default" in field || !("description" in field))).toEqual([]);
      const check = new Ajv2020({ strict: true, formats: { binary: true } }).compile(schema);
      expect(check({ view_1: ["bytes"], version: "1", noise_unique_2: "[[0.5]]" })).toBe(true);
      expect(check({ version: "first" })).toBe(false);
    }
  });
});

describe("the page", () => {
  test("loads only files of this server, under a policy that allows no other", async () => {
    const answer = await fetch(`${url}/docs`);
    const html = await answer.text();
    expect(answer.headers.get("content-security-policy")).toBe(docsPolicy);
    const sources = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source]) => source!);
    expect(sources.length).toBeGreaterThan(2);
    for (const source of sources) {
      expect(source).toMatch(/^\/docs\//);
      expect((await fetch(url + source)).status, source).toBe(200);
    }
    expect(html).not.toMatch(/<script(?![^>]* src=)/);
  });

  test.each(["..%2f..%2fpackage.json", "package.json", "__proto__", "constructor"])(
    "gives no other file: /docs/%s",
    async (name) => {
      const answer = await fetch(`${url}/docs/${name}`);
      expect(answer.status).toBe(404);
      expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
    },
  );
});
