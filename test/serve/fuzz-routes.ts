import { deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";

/** Calls of the routes of an OpenAPI document: bodies that fit their schemas, nearly fit them, or are meant to hurt. */

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer | undefined;
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> };
}

const words = [
  "toy",
  "toy.encode",
  "toy.encode_1",
  "encode_1",
  "common",
  "common_0",
  "view_1",
  "view_2",
  "x",
  "y",
  "__proto__",
  "constructor",
  "1",
  "2",
  "FP32",
  "UINT8",
];
const images = [
  [
    [[1], [2], [3]],
    [[4], [5], [6]],
  ],
];
const useful = [
  { view_1: images },
  { view_1: images, view_2: images },
  { common: [[1]], unique_1: [[0]], unique_2: [[0]] },
  { view_1: [...images, ...images, ...images], view_2: [...images, ...images, ...images] },
];

export function fuzzRoutes(document: object): fc.Arbitrary<Call> {
  const { paths, components } = document as {
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, Schema> };
  };
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const schemaOf = (operation: Operation): Schema => operation.requestBody?.content["application/json"]?.schema ?? {};
  return fc.constantFrom(...operations).chain(({ path, method, operation }) => {
    const bySchema = fromSchema(schemaOf(operation), components.schemas);
    const values = path === "/v1/discrete-information" ? fc.oneof(bySchema, tables) : bySchema;
    const fitting = values.map((value) => JSON.stringify(value) ?? "");
    return fc
      .record({
        path: pathFor(path),
        body: fc.oneof({ arbitrary: fitting.map(Buffer.from), weight: 4 }, { arbitrary: hostile, weight: 3 }),
        headers,
      })
      .map((call) => ({ ...call, method, body: method === "GET" ? undefined : call.body }));
  });
}

/** What a schema cannot say and chance does not find: lines of one length, in a body that has counts and no rows. */
const counts = fc.constantFrom(0, 1, 5, 0.5, 1e-320, 2 ** 53, 1e308);
const tables = fc
  .integer({ min: 1, max: 3 })
  .chain((width) => fc.array(fc.array(counts, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 3 }))
  .map((lines) => ({ columns: ["x", "y"], counts: lines }));

function pathFor(path: string): fc.Arbitrary<string> {
  const names: Record<string, string> = {
    bundle: "toy",
    model: "toy.encode_1",
    version: "1",
    file: "start.js",
    id: "1",
  };
  return fc
    .tuple(fc.nat(9), fc.constantFrom(...words), fc.constantFrom("", "?seed=1", "?x[__proto__]=1", "?input=view_1"))
    .map(
      ([luck, word, query]) =>
        path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (luck > 0 ? names[name]! : encodeURIComponent(word))) +
        query,
    );
}

/** Values of a schema; what it leaves open is filled with names and numbers that mean something here. */
function fromSchema(schema: Schema, components: Readonly<Record<string, Schema>>, depth = 0): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return fromSchema(components[schema.$ref.split("/").at(-1)!]!, components, depth);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => fromSchema(one, components, depth)));
  if (schema.properties !== undefined) {
    const properties = Object.entries(schema.properties).map(([name, inner]) => [
      name,
      fromSchema(inner, components, depth + 1),
    ]);
    return fc.record<Record<string, unknown>, string>(Object.fromEntries(properties), {
      requiredKeys: [...(schema.required ?? [])],
    });
  }
  if (schema.type === "array") {
    return fc.array(fromSchema(schema.items ?? {}, components, depth + 1), {
      minLength: schema.minItems ?? 0,
      maxLength: 4,
    });
  }
  if (schema.type === "integer" || schema.type === "number") {
    const [low, high] = [schema.minimum ?? -5, Math.min(schema.maximum ?? 300, 300)];
    const small =
      schema.type === "integer"
        ? fc.integer({ min: low, max: Math.max(low, high) })
        : fc.double({ min: low, max: Math.max(low, high), noNaN: true });
    // Now and then the most that the schema takes, which may be the most that a number can be.
    const most = schema.maximum ?? (schema.type === "integer" ? Number.MAX_SAFE_INTEGER : Number.MAX_VALUE);
    return fc.oneof({ arbitrary: small, weight: 7 }, { arbitrary: fc.constant(most), weight: 1 });
  }
  if (schema.type === "null") return fc.constant(null);
  if (schema.type === "boolean") return fc.boolean();
  if (schema.type === "string") return fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 12 }));
  return fc.oneof(fc.constantFrom(...useful), fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>);
}

const deep = "[".repeat(20_000) + "]".repeat(20_000);
const hostile: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text)),
  fc
    .constantFrom(
      deep,
      `{"inputs":${deep}}`,
      '{"__proto__":{"a":1},"constructor":{"prototype":{"a":1}}}',
      '{"inputs":[{"name":"view_1","shape":[9007199254740991,2,3,1],"datatype":"UINT8","data":[1]}]}',
      '{"inputs":[{"name":"view_1","shape":[1,2,3,1],"datatype":"UINT8","data":[1e999,null,"",{},[],-1]}]}',
      '{"inputs":[{"name":"view_1","shape":[1,2,3,1],"datatype":"UINT8","parameters":{"binary_data_size":1e308}}]}',
      `{"inputs":{"view_1":"${"A".repeat(1000)}"}}`,
      `{"seed":${"9".repeat(400)}}`,
      "\u0000",
      '"\\ud800"',
      "null",
      "",
    )
    .map((text) => Buffer.from(text)),
  fc.constantFrom(
    gzipSync(Buffer.alloc(1 << 22)),
    deflateSync(Buffer.alloc(1 << 22)),
    Buffer.alloc((1 << 16) + 1, 0x20),
  ),
  fc.constant(
    Buffer.from(
      '--b\r\ncontent-disposition: form-data; name="__proto__"; filename="../../x"\r\n\r\nhello\r\n--b--\r\n',
    ),
  ),
);

const headers: fc.Arbitrary<Record<string, string>> = fc
  .record(
    {
      "content-type": fc.constantFrom(
        ...Array.from({ length: 8 }, () => "application/json"),
        "application/octet-stream",
        "multipart/form-data; boundary=b",
        "multipart/form-data",
        "image/png",
        "text/plain",
      ),
      accept: fc.constantFrom("application/json", "image/png", "*/*", "text/html", "\u00ff"),
      "inference-header-content-length": fc.constantFrom("0", "5", "99999", "-1", "1e3", "x"),
      "content-encoding": fc.constantFrom("gzip", "deflate", "br", "identity", "x"),
      traceparent: fc.constantFrom("00-0-0-0", `00-${"a".repeat(32)}-${"b".repeat(16)}-01`),
      "x-request-id": fc.constantFrom("ok", "a b", "x".repeat(500)),
    },
    { requiredKeys: ["content-type"] },
  )
  .chain((all) =>
    // Most calls carry no more than a type, so that bodies are looked at at all.
    fc.nat(3).map((luck) => (luck > 0 ? { "content-type": all["content-type"] } : (all as Record<string, string>))),
  );
