import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningServer, startServer } from "../../serve/start-server.ts";
import { type Client, clientOf, typescriptOptions } from "./client.ts";
import { arithmetic, identity, logarithm, toFloat, writeTinyBundle } from "./tiny-bundle.ts";

process.env.NODE_OPTIONS = typescriptOptions; // for the worker process

let folder: string;
let server: RunningServer;
let client: Client;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "cominfo-serve-"));
  await writeTinyBundle(path.join(folder, "tiny"), { arithmetic, to_float: toFloat, logarithm });
  const dtypes = ["float32", "int32", "uint8", "bool", "int64"] as const;
  const tasks = Object.fromEntries(dtypes.map((dtype) => [dtype, identity(dtype)]));
  await writeTinyBundle(path.join(folder, "types"), tasks);
  await cp(path.join(folder, "types"), path.join(folder, "changed"), { recursive: true });
  await writeFile(path.join(folder, "changed", "bool", "1", "model.onnx"), "something else");
  await rename("changed");
  await mkdir(path.join(folder, "empty"));
  await mkdir(path.join(folder, ".being-written"));
  await writeFile(path.join(folder, "README.md"), "not a bundle");
  server = await startServer({ repository: folder, port: 0, threads: 1, bodyLimit: 64 * 1024 });
  client = clientOf(server.url);
});

afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true });
});

/** Gives a copied bundle the name of its folder. */
async function rename(name: string): Promise<void> {
  const file = path.join(folder, name, "manifest.json");
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, "utf8")), name }));
}

const left = { name: "left", shape: [2, 2], datatype: "FP32", data: [1, 2, 3, 4] };
const right = { name: "right", shape: [2, 2], datatype: "FP32", data: [0.5, -1, 10, 0] };
const sum = { name: "sum", shape: [2, 2], datatype: "FP32", data: [1.5, 1, 13, 4] };
const product = { name: "product", shape: [2, 2], datatype: "FP32", data: [0.5, -2, 30, 0] };
const inferPath = "/v2/models/tiny.arithmetic/infer";

describe("the protocol's routes", () => {
  test("GET /v2 names the server and its extensions", async () => {
    const { status, body } = await client.get("/v2");
    expect(status).toBe(200);
    expect(body).toEqual({
      name: "cominfo",
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      extensions: ["binary_tensor_data", "model_configuration", "model_repository", "schedule_policy", "statistics"],
    });
  });

  test("GET /v2/health/live and /v2/health/ready answer 200", async () => {
    expect(await client.get("/v2/health/live")).toMatchObject({ status: 200, body: { live: true } });
    expect(await client.get("/v2/health/ready")).toMatchObject({ status: 200, body: { ready: true } });
  });

  test.each(["/v2/models/tiny.arithmetic", "/v2/models/tiny.arithmetic/versions/1"])(
    "GET %s describes it",
    async (at) => {
      const { status, body } = await client.get(at);
      expect(status).toBe(200);
      expect(body).toEqual({
        name: "tiny.arithmetic",
        versions: ["1"],
        platform: "onnx_onnxv1",
        inputs: [
          { name: "left", datatype: "FP32", shape: [-1, 2] },
          { name: "right", datatype: "FP32", shape: [-1, 2] },
        ],
        outputs: [
          { name: "sum", datatype: "FP32", shape: [-1, 2] },
          { name: "product", datatype: "FP32", shape: [-1, 2] },
        ],
        properties: {
          bundle: "tiny",
          task: "arithmetic",
          description: "tiny task arithmetic",
          family: "tiny",
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
          opset: "17",
          device: "cpu",
          max_batch_rows: "64",
        },
      });
      expect(await client.get(`${at}/ready`)).toMatchObject({
        status: 200,
        body: { name: "tiny.arithmetic", ready: true },
      });
    },
  );

  test("POST /v2/repository/index lists what is served and what is not, and why", async () => {
    const { status, body } = await client.post("/v2/repository/index", {});
    expect(status).toBe(200);
    const entries = body as { name: string; state: string; version: string; reason: string }[];
    const good = entries.filter((entry) => entry.state === "READY");
    expect(good.map((entry) => [entry.name, entry.version, entry.reason])).toEqual(
      ["tiny.arithmetic", "tiny.to_float", "tiny.logarithm"]
        .concat(["float32", "int32", "uint8", "bool", "int64"].map((task) => `types.${task}`))
        .map((name) => [name, "1", ""]),
    );
    expect(entries.filter((entry) => entry.state !== "READY")).toEqual([
      {
        name: "changed",
        version: "",
        state: "UNAVAILABLE",
        reason: expect.stringMatching(
          /^Cannot load model: changed\/bool\/1\/model\.onnx must have the SHA-256 of its manifest/,
        ),
      },
      {
        name: "empty",
        version: "",
        state: "UNAVAILABLE",
        reason: expect.stringMatching(/^Cannot read bundle: empty\/manifest\.json must be readable, got ENOENT$/),
      },
    ]);
    const onlyReady = await client.post("/v2/repository/index", { ready: true });
    expect(onlyReady.body).toEqual(good);
    const noBody = await client.post("/v2/repository/index", "", { body: new Uint8Array(0), headers: {} });
    expect(noBody.body).toEqual(entries);
  });

  test("GET / lists the models with commands, and the example it gives is accepted", async () => {
    const { body } = await client.get("/");
    const { models, unavailable } = body as { models: { name: string; try: string[] }[]; unavailable: unknown[] };
    expect(models).toHaveLength(8);
    expect(unavailable).toHaveLength(2);
    for (const { name, try: commands } of models) {
      expect(commands[1]).toBe(
        `curl -s ${server.url}/v2/models/${name}/example | curl -s -H 'content-type: application/json' -d @- ${server.url}/v2/models/${name}/infer`,
      );
      const example = await client.get(`/v2/models/${name}/example`);
      const answer = await client.post(`/v2/models/${name}/infer`, example.body);
      // The logarithm of 0 is the one example without a finite answer.
      expect([name, answer.status]).toEqual([name, name === "tiny.logarithm" ? 422 : 200]);
    }
  });

  test("a Host header cannot write into the commands of GET /", async () => {
    const { request } = await import("node:http");
    const text = await new Promise<string>((resolve, reject) => {
      request(server.url, { headers: { host: "x;rm -rf $HOME" } }, async (response) => {
        resolve(Buffer.concat(await response.toArray()).toString());
      })
        .on("error", reject)
        .end();
    });
    expect(text).not.toContain("rm -rf");
  });
});

describe("infer", () => {
  test("answers all outputs in the model's order and echoes the id", async () => {
    const { status, body } = await client.post(inferPath, { id: "a-1", inputs: [right, left] });
    expect(status).toBe(200);
    expect(body).toEqual({ model_name: "tiny.arithmetic", model_version: "1", id: "a-1", outputs: [sum, product] });
  });

  test("leaves the id out where the request has none, and takes the version path", async () => {
    const { body } = await client.post("/v2/models/tiny.arithmetic/versions/1/infer", { inputs: [left, right] });
    expect(body).toEqual({ model_name: "tiny.arithmetic", model_version: "1", outputs: [sum, product] });
  });

  test("answers the outputs that are asked for, in the order asked", async () => {
    const ask = (...names: string[]) =>
      client.post(inferPath, { inputs: [left, right], outputs: names.map((name) => ({ name })) });
    expect((await ask("product")).body).toMatchObject({ outputs: [product] });
    expect(((await ask("product", "sum")).body as { outputs: unknown }).outputs).toEqual([product, sum]);
  });

  test("takes nested data as well as flat", async () => {
    const nested = { ...left, data: [left.data.slice(0, 2), left.data.slice(2)] };
    expect((await client.post(inferPath, { inputs: [nested, right] })).body).toMatchObject({ outputs: [sum, product] });
    const [top, bottom] = [
      [0, 1, 2],
      [253, 254, 255],
    ] as const;
    const image = { name: "image", shape: [1, 2, 3], datatype: "UINT8", data: [[top, bottom]] };
    expect((await client.post("/v2/models/tiny.to_float/infer", { inputs: [image] })).body).toMatchObject({
      outputs: [{ name: "pixels", shape: [1, 2, 3], datatype: "FP32", data: [...top, ...bottom] }],
    });
  });

  test.each([
    ["float32", "FP32", [0.1, -0, 3.4e38], [Math.fround(0.1), 0, Math.fround(3.4e38)]],
    ["int32", "INT32", [-(2 ** 31), 0, 2 ** 31 - 1], undefined],
    ["uint8", "UINT8", [0, 7, 255], undefined],
    ["bool", "BOOL", [true, false, true], undefined],
    ["int64", "INT64", [-1, 2 ** 53 - 1, "9223372036854775807"], undefined],
    ["int64", "INT64", ["5", "-9223372036854775808"], [5, "-9223372036854775808"]],
  ])("carries %s as %s", async (task, datatype, data, expected) => {
    const input = { name: "x", shape: [data.length], datatype, data };
    const { status, body } = await client.post(`/v2/models/types.${task}/infer`, { inputs: [input] });
    expect(status).toBe(200);
    expect(body).toMatchObject({ outputs: [{ name: "y", shape: [data.length], datatype, data: expected ?? data }] });
  });

  test("takes a body without a content type, with a charset, and with harmless parameters", async () => {
    const body = { inputs: [{ ...left, parameters: { note: "x" } }, right], parameters: { priority: 1 } };
    const bytes = new TextEncoder().encode(JSON.stringify(body)); // fetch adds no content type to bytes
    expect((await client.post(inferPath, "", { body: bytes, headers: {} })).status).toBe(200);
    const headers = { "content-type": 'Application/JSON; charset="UTF-8"' };
    expect((await client.post(inferPath, body, { headers })).status).toBe(200);
  });

  test("answers concurrent requests, each with its own result", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        client.post("/v2/models/types.int32/infer", {
          id: String(i),
          inputs: [{ name: "x", shape: [2], datatype: "INT32", data: [i, -i] }],
        }),
      ),
    );
    for (const [i, { body }] of answers.entries()) {
      expect(body).toMatchObject({ id: String(i), outputs: [{ data: [i, 0 - i] }] });
    }
  });
});

describe("errors are {error, code, path} with the right status", () => {
  const request = (change: object) => ({ inputs: [{ ...left, ...change }, right] });
  const infinite = '{"inputs":[{"name":"left","shape":[2,2],"datatype":"FP32","data":[1,1e999,3,4]}]}';
  // biome-ignore format: a table
  const cases: [string, unknown, { error: string; code: string; path: (string | number)[] }][] = [
    ["broken JSON", '{"inputs": [', { error: "Cannot read request: its body must be JSON, got", code: "bad_json", path: [] }],
    ["an empty body", "", { error: "Cannot read request: its body must be JSON, got", code: "bad_json", path: [] }],
    ["JSON null", "null", { error: "Cannot read request", code: "invalid", path: [] }],
    ["no inputs", {}, { error: '"inputs" is missing', code: "invalid", path: ["inputs"] }],
    ["an unknown key", { input: [] , inputs: [] }, { error: 'unknown key "input", did you mean "inputs"?', code: "invalid", path: ["input"] }],
    ["a shape that is no array", request({ shape: 4 }), { error: "must be array", code: "invalid", path: ["inputs", 0, "shape"] }],
    ["a fractional size", request({ shape: [1.5, 2] }), { error: "must be integer", code: "invalid", path: ["inputs", 0, "shape", 0] }],
    ["an empty batch", request({ shape: [0, 2], data: [] }), { error: "must be >= 1", code: "invalid", path: ["inputs", 0, "shape", 0] }],
    ["a missing input", { inputs: [left] }, { error: 'input "right" is missing', code: "bad_inputs", path: ["inputs"] }],
    ["an extra input", { inputs: [left, right, { ...left, name: "rigth" }] }, { error: 'unknown input "rigth", did you mean "right"?', code: "bad_inputs", path: ["inputs", 2, "name"] }],
    ["an input named __proto__", { inputs: [left, right, { ...left, name: "__proto__" }] }, { error: 'unknown input "__proto__"', code: "bad_inputs", path: ["inputs", 2, "name"] }],
    ["an input twice", { inputs: [left, right, left] }, { error: 'input "left" is there twice', code: "bad_inputs", path: ["inputs", 2, "name"] }],
    ["a wrong datatype", request({ datatype: "FP64" }), { error: '"left" must have datatype FP32, got FP64', code: "bad_inputs", path: ["inputs", 0, "datatype"] }],
    ["a wrong width", request({ shape: [2, 3], data: [1, 2, 3, 4, 5, 6] }), { error: '"left" must have shape [n, 2], got [2, 3]', code: "bad_inputs", path: ["inputs", 0, "shape"] }],
    ["a wrong rank", request({ shape: [4] }), { error: '"left" must have shape [n, 2], got [4]', code: "bad_inputs", path: ["inputs", 0, "shape"] }],
    ["unequal batches", request({ shape: [1, 2], data: [1, 2] }), { error: '"right" must have 1 rows as "left" has, got 2', code: "bad_inputs", path: ["inputs", 1, "shape"] }],
    ["too little data", request({ data: [1, 2, 3] }), { error: '"left" must hold 4 values for shape [2, 2], got 3', code: "bad_inputs", path: ["inputs", 0, "data"] }],
    ["a huge shape", { inputs: [{ ...left, shape: [2 ** 52, 2] }] }, { error: "got 4", code: "bad_inputs", path: ["inputs", 0, "data"] }],
    ["a huge shape, nested", { inputs: [{ ...left, shape: [2 ** 52, 2], data: [[1, 2]] }] }, { error: "entries at inputs.0.data, got 1", code: "bad_inputs", path: ["inputs", 0, "data"] }],
    ["a ragged row", request({ data: [[1, 2], [3]] }), { error: '"left" must have 2 entries at inputs.0.data.1, got 1', code: "bad_inputs", path: ["inputs", 0, "data", 1] }],
    ["flat among nested", request({ data: [[1, 2], 3] }), { error: '"left" must have an array at inputs.0.data.1, got number', code: "bad_inputs", path: ["inputs", 0, "data", 1] }],
    ["data nested too deep", request({ data: [[1, 2], [3, [4]]] }), { error: '"left" must hold a number that float32 can hold at [1, 1], got [4]', code: "bad_inputs", path: ["inputs", 0, "data", 1, 1] }],
    ["text for a number", request({ data: [1, "2", 3, 4] }), { error: 'float32 can hold at [1], got "2"', code: "bad_inputs", path: ["inputs", 0, "data", 1] }],
    ["null for a number", request({ data: [1, null, 3, 4] }), { error: "at [1], got null", code: "bad_inputs", path: ["inputs", 0, "data", 1] }],
    ["a number beyond float32", request({ data: [1, 2, 3, 1e39] }), { error: "at [3], got 1e+39", code: "bad_inputs", path: ["inputs", 0, "data", 3] }],
    ["infinity by overflow", infinite, { error: "at [1], got Infinity", code: "bad_inputs", path: ["inputs", 0, "data", 1] }],
    ["an unknown output", { inputs: [left, right], outputs: [{ name: "summ" }] }, { error: 'unknown output "summ", did you mean "sum"?', code: "bad_inputs", path: ["outputs", 0, "name"] }],
    ["an output twice", { inputs: [left, right], outputs: [{ name: "sum" }, { name: "sum" }] }, { error: 'output "sum" is asked for twice', code: "bad_inputs", path: ["outputs", 1, "name"] }],
    ["neither data nor bytes", request({ data: undefined }), { error: '"left" must have data, or binary_data_size, got neither', code: "bad_inputs", path: ["inputs", 0] }],
    ["data and bytes", request({ parameters: { binary_data_size: 16 } }), { error: "either data or binary_data_size, got both", code: "bad_inputs", path: ["inputs", 0, "parameters", "binary_data_size"] }],
    ["bytes without the header", request({ data: undefined, parameters: { binary_data_size: 16 } }), { error: "the HTTP header Inference-Header-Content-Length", code: "bad_inputs", path: ["inputs", 0, "parameters", "binary_data_size"] }],
    ["a binary_data that is no boolean", { inputs: [left, right], outputs: [{ name: "sum", parameters: { binary_data: 1 } }] }, { error: '"binary_data" must be true or false, got 1', code: "bad_inputs", path: ["outputs", 0, "parameters", "binary_data"] }],
    ["a negative timeout", { inputs: [left, right], parameters: { timeout: -1 } }, { error: '"timeout" must be a whole number from 0, got -1', code: "bad_inputs", path: ["parameters", "timeout"] }],
    ["a fractional priority", { inputs: [left, right], parameters: { priority: 1.5 } }, { error: '"priority" must be a whole number from 0, got 1.5', code: "bad_inputs", path: ["parameters", "priority"] }],
  ];

  test.each(cases)("400 for %s", async (_, body, expected) => {
    const answer = await client.post(inferPath, body);
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({ ...expected, error: expect.stringContaining(expected.error) });
    expect(JSON.stringify(answer.body)).not.toMatch(/\\n| {4}at /);
  });

  test.each([
    ["uint8", "UINT8", 256],
    ["uint8", "UINT8", 1.5],
    ["int32", "INT32", 2 ** 31],
    ["int64", "INT64", 2 ** 53],
    ["int64", "INT64", "9223372036854775808"],
    ["int64", "INT64", "0x10"],
    ["bool", "BOOL", 1],
  ])("400 for a %s that %s cannot hold: %s", async (task, datatype, value) => {
    const body = { inputs: [{ name: "x", shape: [1], datatype, data: [value] }] };
    const answer = await client.post(`/v2/models/types.${task}/infer`, body);
    expect(answer).toMatchObject({ status: 400, body: { code: "bad_inputs", path: ["inputs", 0, "data", 0] } });
  });

  test.each([
    ["GET", "/v2/models/tiny.aritmetic", 'did you mean "tiny.arithmetic"?', "unknown_model"],
    ["GET", "/v2/models/arithmetic", 'did you mean "tiny.arithmetic"?', "unknown_model"],
    ["GET", "/v2/models/tiny.arithmetic/versions/2", 'it must be "1"', "unknown_version"],
    ["GET", "/v2/models/changed.bool/ready", 'bundle "changed" is not served', "bad_bundle"],
    ["POST", "/v2/models/qqqqqqqqqqqqqqqq/infer", "POST /v2/repository/index lists all", "unknown_model"],
    ["GET", "/v2/models", "there is no such route", "no_route"],
    ["GET", "/v3", "there is no such route", "no_route"],
  ])("404 for %s %s", async (method, at, message, code) => {
    const answer = method === "GET" ? await client.get(at) : await client.post(at, "not even JSON");
    expect(answer).toMatchObject({ status: 404, body: { error: expect.stringContaining(message), code, path: [] } });
  });

  test.each([
    ["GET", inferPath, "POST"],
    ["PUT", inferPath, "POST"],
    ["GET", "/v2/repository/index", "POST"],
    ["POST", "/v2", "GET, HEAD"],
    ["DELETE", "/v2/models/tiny.arithmetic", "GET, HEAD"],
    ["POST", "/v2/health/live", "GET, HEAD"],
  ])("405 for %s %s, with the methods that are allowed", async (method, at, allowed) => {
    const answer = await client.get(at, { method });
    expect(answer).toMatchObject({ status: 405, body: { code: "wrong_method", path: [] } });
    expect(answer.headers.get("allow")).toBe(allowed);
  });

  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "application/json; charset=latin1",
  ])("415 for content type %s", async (type) => {
    const answer = await client.post(inferPath, { inputs: [left, right] }, { headers: { "content-type": type } });
    expect(answer).toMatchObject({ status: 415, body: { code: "unsupported_media_type", path: [] } });
  });

  test("415 for a content encoding that is not known", async () => {
    const headers = { "content-type": "application/json", "content-encoding": "rot13" };
    const answer = await client.post(inferPath, { inputs: [left, right] }, { headers });
    expect(answer).toMatchObject({ status: 415, body: { code: "unsupported_encoding" } });
  });

  test("413 above the body limit, also when the body is large only after decompression", async () => {
    const plain = await client.post(inferPath, " ".repeat(64 * 1024 + 1));
    expect(plain).toMatchObject({
      status: 413,
      body: { error: expect.stringContaining("at most 65536 bytes"), code: "too_large", path: [] },
    });
    const { gzipSync } = await import("node:zlib");
    const headers = { "content-type": "application/json", "content-encoding": "gzip" };
    const bomb = await client.post(inferPath, "", { body: gzipSync(Buffer.alloc(1 << 24)), headers });
    expect(bomb.status).toBe(413);
    const fits = gzipSync(JSON.stringify({ inputs: [left, right] }));
    expect((await client.post(inferPath, "", { body: fits, headers })).status).toBe(200);
  });

  test("400 for bytes that are not UTF-8, and for a path that cannot be decoded", async () => {
    const headers = { "content-type": "application/json" };
    const bytes = await client.post(inferPath, "", { body: Uint8Array.of(0x22, 0xff, 0x22), headers });
    expect(bytes).toMatchObject({ status: 400, body: { code: "bad_json" } });
    expect(await client.get("/v2/models/%E0%A4%A")).toMatchObject({ status: 400, body: { code: "bad_request" } });
  });

  test.each([
    [0, "-Infinity"],
    [-1, "NaN"],
  ])("422 that names the output when log %s is %s, and never NaN in JSON", async (value, text) => {
    const body = { inputs: [{ name: "x", shape: [2], datatype: "FP32", data: [1, value] }] };
    expect(await client.post("/v2/models/tiny.logarithm/infer", body)).toMatchObject({
      status: 422,
      body: {
        error: `Cannot answer in JSON: output "y" must be finite, got ${text} at [1]; look for extreme inputs`,
        code: "non_finite_output",
        path: ["outputs", "y"],
      },
    });
  });
});
