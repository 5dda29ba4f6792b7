import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Dtype, HostTensor } from "../../../schemas/tensor.ts";
import { createApp } from "../../../serve/app.ts";
import { HttpError, unavailable } from "../../../serve/http-error.ts";
import { decodeResponse, encodeRequest, joinMessage } from "../../../serve/protocol/binary-tensors.ts";
import { type Client, clientOf } from "../client.ts";
import { type FakeEngine, fakeEngine, serveApp, spec } from "../fake-engine.ts";

/**
 * The tables of the Open Inference Protocol and of Triton's extensions, one describe a table. Sources: as
 * schemas/open-inference.ts names them.
 */

const float = (data: number[], shape = [data.length]): HostTensor => ({
  dtype: "float32",
  shape,
  data: Float32Array.from(data),
});

let engine: FakeEngine;
let close: () => Promise<void>;
let url: string;
let client: Client;

beforeAll(async () => {
  const identities = (["float32", "int32", "uint8", "bool", "int64"] as const).map((dtype: Dtype) => [
    dtype,
    {
      inputs: [spec("x", dtype, [-1, 2])],
      outputs: [spec("y", dtype, [-1, 2])],
      run: ({ x }: Readonly<Record<string, HostTensor>>) => ({ y: x! }),
    },
  ]);
  engine = fakeEngine([
    {
      name: "m",
      tasks: {
        two: {
          inputs: [spec("a", "float32", [-1, 2]), spec("b", "float32", [-1, 2])],
          outputs: [spec("sum", "float32", [-1, 2]), spec("first", "float32", [-1, 2])],
          run: ({ a, b }) => ({
            sum: float(
              Array.from(a!.data as Float32Array, (value, i) => value + (b!.data as Float32Array)[i]!),
              [...a!.shape],
            ),
            first: a!,
          }),
        },
        ...Object.fromEntries(identities),
      },
    },
  ]);
  ({ url, close } = await serveApp(createApp({ engine, bodyLimit: 1 << 16 })));
  client = clientOf(url);
});

beforeEach(() => {
  engine.asked.length = 0;
  engine.fault = undefined;
  engine.ready = true;
});

afterAll(() => close());

/** A binary request and its answer as it came. */
async function post(path: string, message: { body: Uint8Array; headerLength: number }, headers: HeadersInit = {}) {
  const response = await fetch(url + path, {
    method: "POST",
    body: Buffer.from(message.body),
    headers: {
      "content-type": "application/octet-stream",
      "inference-header-content-length": String(message.headerLength),
      ...headers,
    },
  });
  return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
}

const a = { name: "a", shape: [1, 2], datatype: "FP32", data: [1, 2] };
const b = { name: "b", shape: [1, 2], datatype: "FP32", data: [10, 20] };

describe("table: routes and their success bodies", () => {
  test.each([
    ["GET", "/v2", ["extensions", "name", "version"]],
    ["GET", "/v2/health/live", ["live"]],
    ["GET", "/v2/health/ready", ["ready"]],
    ["GET", "/v2/models/m.two", ["inputs", "name", "outputs", "platform", "properties", "versions"]],
    ["GET", "/v2/models/m.two/versions/1", ["inputs", "name", "outputs", "platform", "properties", "versions"]],
    ["GET", "/v2/models/m.two/ready", ["name", "ready"]],
    ["GET", "/v2/models/m.two/versions/1/ready", ["name", "ready"]],
    ["POST", "/v2/models/m.two/infer", ["id", "model_name", "model_version", "outputs"]],
    ["POST", "/v2/models/m.two/versions/1/infer", ["id", "model_name", "model_version", "outputs"]],
    ["GET", "/v2/models/stats", ["model_stats"]],
    ["GET", "/v2/models/m.two/stats", ["model_stats"]],
    ["GET", "/v2/models/m.two/versions/1/stats", ["model_stats"]],
  ])("%s %s", async (method, path, keys) => {
    const answer = method === "GET" ? await client.get(path) : await client.post(path, { id: "7", inputs: [a, b] });
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.body as object).sort()).toEqual(keys);
  });

  test.each(["/v2/models/m.two/config", "/v2/models/m.two/versions/1/config"])(
    "GET %s tells in Triton's words how the model is batched, queued and run",
    async (path) => {
      const { status, body } = await client.get(path);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        name: "m.two",
        platform: "onnxruntime_onnx",
        max_batch_size: 4,
        input: [
          { name: "a", data_type: "TYPE_FP32", dims: [2] },
          { name: "b", data_type: "TYPE_FP32", dims: [2] },
        ],
        instance_group: [{ kind: "KIND_CPU", count: 2 }],
        dynamic_batching: {
          preferred_batch_size: [2],
          max_queue_delay_microseconds: 1500,
          priority_levels: 2,
          default_priority_level: 2,
          default_queue_policy: { default_timeout_microseconds: 0, max_queue_size: 8 },
        },
      });
    },
  );

  test("not ready is 503 with the same body, for Kubernetes, and live stays 200", async () => {
    engine.ready = false;
    expect(await client.get("/v2/health/ready")).toMatchObject({ status: 503, body: { ready: false } });
    expect(await client.get("/v2/health/live")).toMatchObject({ status: 200, body: { live: true } });
  });
});

describe("table: request parameters", () => {
  test("priority and timeout in microseconds reach the engine, others are ignored", async () => {
    const parameters = { priority: 1, timeout: 2500, sequence_id: 3, anything: "x" };
    expect((await client.post("/v2/models/m.two/infer", { inputs: [a, b], parameters })).status).toBe(200);
    expect(engine.asked[0]).toMatchObject({ model: "m.two", version: "1", priority: 1, timeoutMs: 2.5 });
    expect((await client.post("/v2/models/m.two/infer", { inputs: [a, b] })).status).toBe(200);
    expect(engine.asked[1]).toMatchObject({ priority: undefined, timeoutMs: undefined });
  });

  test("only the outputs asked for are asked of the engine", async () => {
    await client.post("/v2/models/m.two/infer", { inputs: [a, b], outputs: [{ name: "first" }] });
    expect(engine.asked[0]!.outputs).toEqual(["first"]);
  });
});

describe("table: where binary outputs come from", () => {
  const named = (...binary: (boolean | undefined)[]) =>
    ["sum", "first"].map((name, i) => ({
      name,
      ...(binary[i] === undefined ? {} : { parameters: { binary_data: binary[i] } }),
    }));

  // biome-ignore format: a table
  test.each([
    ["nothing said", {}, [false, false]],
    ["the request says binary", { parameters: { binary_data_output: true } }, [true, true]],
    ["the request says JSON", { parameters: { binary_data_output: false } }, [false, false]],
    ["one output says binary", { outputs: named(true) }, [true, false]],
    ["one output contradicts the request", { parameters: { binary_data_output: true }, outputs: named(undefined, false) }, [true, false]],
    ["the other contradicts a JSON request", { parameters: { binary_data_output: false }, outputs: named(undefined, true) }, [false, true]],
  ])("%s", async (_, change, binary) => {
    const response = await fetch(`${url}/v2/models/m.two/infer`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ inputs: [a, b], ...change }),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const length = Number(response.headers.get("inference-header-content-length") ?? bytes.length);
    const { outputs } = JSON.parse(new TextDecoder().decode(bytes.subarray(0, length)));
    expect(response.headers.get("content-type")).toMatch(
      binary.includes(true) ? "application/octet-stream" : "application/json",
    );
    expect(Number(response.headers.get("content-length"))).toBe(bytes.length);
    const values = { sum: [11, 22], first: [1, 2] } as const;
    const blobs: number[] = [];
    for (const [i, name] of (["sum", "first"] as const).entries()) {
      expect(outputs[i]).toEqual({
        name,
        shape: [1, 2],
        datatype: "FP32",
        ...(binary[i] ? { parameters: { binary_data_size: 8 } } : { data: values[name] }),
      });
      if (binary[i]) blobs.push(...values[name]);
    }
    const after = bytes.slice(length);
    expect([...new Float32Array(after.buffer)]).toEqual(blobs);
  });
});

describe("binary inputs", () => {
  test.each([
    ["float32", Float32Array.of(0.1, Number.NaN, -0, 3.4e38)],
    ["int32", Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0, 1)],
    ["uint8", Uint8Array.of(0, 255, 7, 1)],
    ["bool", Uint8Array.of(1, 0, 0, 1)],
    ["int64", BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 0n, 1n)],
  ] as const)("%s goes through bit for bit, NaN too", async (dtype, data) => {
    const x: HostTensor = { dtype, shape: [2, 2], data };
    const { response, bytes } = await post(`/v2/models/m.${dtype}/infer`, encodeRequest({ id: "b", inputs: { x } }));
    expect(response.status).toBe(200);
    const answer = decodeResponse(bytes, Number(response.headers.get("inference-header-content-length")));
    expect(answer).toEqual({ model_name: `m.${dtype}`, model_version: "1", id: "b", outputs: { y: x } });
  });

  test("a JSON part that ends at any offset reads the same", async () => {
    const blob = new Uint8Array(Float32Array.of(1, 2).buffer);
    for (let spaces = 0; spaces < 8; spaces++) {
      const entry = { name: "x", shape: [1, 2], datatype: "FP32", parameters: { binary_data_size: 8 } };
      const json = new TextEncoder().encode(JSON.stringify({ inputs: [entry] }) + " ".repeat(spaces));
      const body = Buffer.concat([json, blob]);
      const { bytes } = await post("/v2/models/m.float32/infer", { body, headerLength: json.length });
      expect(JSON.parse(new TextDecoder().decode(bytes))).toMatchObject({ outputs: [{ data: [1, 2] }] });
    }
  });

  test("JSON and binary inputs mix, with content type application/json as well", async () => {
    const entry = { name: "b", shape: [1, 2], datatype: "FP32", parameters: { binary_data_size: 8 } };
    const message = joinMessage({ inputs: [a, entry] }, [new Uint8Array(Float32Array.of(5, 6).buffer)]);
    const { bytes } = await post("/v2/models/m.two/infer", message, { "content-type": "application/json" });
    expect(JSON.parse(new TextDecoder().decode(bytes))).toMatchObject({
      outputs: [{ data: [6, 8] }, { data: [1, 2] }],
    });
  });

  const entry = { name: "x", shape: [1, 2], datatype: "FP32", parameters: { binary_data_size: 8 } };
  const blob = (bytes: number) => [new Uint8Array(bytes)];
  // biome-ignore format: a table
  test.each([
    ["too few bytes", joinMessage({ inputs: [entry] }, blob(7)), "with 7 bytes left"],
    ["bytes that nobody claims", joinMessage({ inputs: [entry] }, blob(9)), "got 1 bytes more"],
    ["a size that is not the shape's", joinMessage({ inputs: [{ ...entry, shape: [2, 2] }] }, blob(8)), "must hold 16 bytes for FP32 [2, 2], got 8"],
    ["a size that is text", joinMessage({ inputs: [{ ...entry, parameters: { binary_data_size: "8" } }] }, blob(8)), 'must be a whole number from 0, got "8"'],
    ["a shape beyond memory", joinMessage({ inputs: [{ ...entry, shape: [2 ** 50, 2] }] }, blob(8)), "got 8"],
    ["a JSON part longer than the body", { body: new Uint8Array(4), headerLength: 5 }, "from 0 to the body's 4 bytes, got 5"],
  ])("400 for %s", async (_, message, text) => {
    const { response, bytes } = await post("/v2/models/m.float32/infer", message);
    expect(response.status).toBe(400);
    const body = JSON.parse(new TextDecoder().decode(bytes));
    expect(body.error).toContain(text);
    expect(Object.keys(body)).toEqual(["error", "code", "path"]);
    expect(engine.asked).toEqual([]);
  });

  test.each(["-1", "1.5", "x", ""])("400 for the header Inference-Header-Content-Length: %s", async (text) => {
    const message = { body: new Uint8Array(4), headerLength: 0 };
    const { response } = await post("/v2/models/m.float32/infer", message, { "inference-header-content-length": text });
    expect(response.status).toBe(400);
  });
});

describe("what KServe's Python client writes (kserve, `InferRequest.to_rest`)", () => {
  const id = "5c1b6a0e-6d5f-4d3e-9a55-9a1e3e4a8a11";

  test("a JSON body names the model again, beside its id", async () => {
    const { status, body } = await client.post("/v2/models/m.two/infer", { id, model_name: "m.two", inputs: [a, b] });
    expect(status).toBe(200);
    expect(body).toMatchObject({ id, model_name: "m.two", outputs: [{ data: [11, 22] }, { data: [1, 2] }] });
  });

  test("a binary body does so in its JSON part", async () => {
    const entry = { name: "x", shape: [1, 2], datatype: "FP32", parameters: { binary_data_size: 8 } };
    const asked = { inputs: [entry], outputs: [{ name: "y", parameters: { binary_data: true } }] };
    // Its JSON part is not padded, and tells that all outputs be binary besides.
    const json = Buffer.from(
      JSON.stringify({ id, model_name: "m.float32", ...asked, parameters: { binary_data_output: true } }),
    );
    const body = Buffer.concat([json, new Uint8Array(Float32Array.of(1, 2).buffer)]);
    const { response, bytes } = await post("/v2/models/m.float32/infer", { body, headerLength: json.length });
    expect(response.status).toBe(200);
    const answer = decodeResponse(bytes, Number(response.headers.get("inference-header-content-length")));
    expect(answer).toEqual({ model_name: "m.float32", model_version: "1", id, outputs: { y: float([1, 2], [1, 2]) } });
  });

  // biome-ignore format: a table
  test.each([
    ["null for what was not given", { id: null, model_name: null, model_version: null, parameters: null, outputs: null }],
    ["null parameters of inputs and outputs", { inputs: [{ ...a, parameters: null }, b], outputs: ["sum", "first"].map((name) => ({ name, parameters: null })) }],
    ["an empty list of outputs", { outputs: [] }],
    ["the version that answers", { model_name: "m.two", model_version: "1" }],
    ["an empty version", { model_version: "" }],
  ])("%s is as if it were left out", async (_, change) => {
    for (const path of ["/v2/models/m.two/infer", "/v2/models/m.two/versions/1/infer", "/v2/models/m%2Etwo/infer"]) {
      const { status, body } = await client.post(path, { inputs: [a, b], ...change });
      expect(status, path).toBe(200);
      expect(body).toEqual({
        model_name: "m.two",
        model_version: "1",
        outputs: [{ ...a, name: "sum", data: [11, 22] }, { ...a, name: "first" }],
      });
    }
  });

  test("null data is left out where the bytes follow", async () => {
    const entry = { name: "x", shape: [1, 2], datatype: "FP32", data: null, parameters: { binary_data_size: 8 } };
    const message = joinMessage({ inputs: [entry] }, [new Uint8Array(Float32Array.of(1, 2).buffer)]);
    expect((await post("/v2/models/m.float32/infer", message)).response.status).toBe(200);
  });

  // biome-ignore format: a table
  test.each([
    ["another model", { model_name: "m.float32" }, 'model_name must be "m.two" as in the path, or be left out, got "m.float32"', ["model_name"]],
    ["another version", { model_version: "2" }, 'model_version must be "1", which the path leads to', ["model_version"]],
  ])("400 for a body meant for %s", async (_, change, error, path) => {
    const answer = await client.post("/v2/models/m.two/infer", { inputs: [a, b], ...change });
    expect(answer).toMatchObject({ status: 400, body: { error: expect.stringContaining(error), code: "bad_inputs", path } });
    expect(engine.asked).toEqual([]);
  });
});

describe("a raw body (header value 0)", () => {
  test("is the one input; rows are counted; all outputs come back binary", async () => {
    const x = float([1, 2, 3, 4], [2, 2]);
    const raw = { body: new Uint8Array((x.data as Float32Array).buffer), headerLength: 0 };
    const { response, bytes } = await post("/v2/models/m.float32/infer", raw);
    expect(response.status).toBe(200);
    const answer = decodeResponse(bytes, Number(response.headers.get("inference-header-content-length")));
    expect(answer).toEqual({ model_name: "m.float32", model_version: "1", outputs: { y: x } });
  });

  test.each([
    ["a model with two inputs", "two", 8, "a raw body needs a model with one input"],
    ["half a row", "float32", 4, "rows of 8 bytes"],
    ["nothing", "float32", 0, "rows of 8 bytes"],
  ])("400 for %s", async (_, task, size, text) => {
    const { response, bytes } = await post(`/v2/models/m.${task}/infer`, {
      body: new Uint8Array(size),
      headerLength: 0,
    });
    expect(response.status).toBe(400);
    expect(JSON.parse(new TextDecoder().decode(bytes)).error).toContain(text);
  });
});

describe("table: what the engine rejects with, and the status", () => {
  test.each([
    [429, "queue_full", "1"],
    [503, "worker_lost", "1"],
    [504, "deadline", undefined],
  ])("%s %s", async (status, code, retryAfter) => {
    const headers = retryAfter === undefined ? {} : { "Retry-After": retryAfter };
    engine.fault = new HttpError("Cannot infer: a test", { status, code, headers });
    const answer = await client.post("/v2/models/m.two/infer", { inputs: [a, b] });
    expect(answer).toMatchObject({ status, body: { error: "Cannot infer: a test", code, path: [] } });
    expect(answer.headers.get("retry-after")).toBe(retryAfter ?? null);
  });

  test("what nobody foresaw is 500 without its details", async () => {
    engine.fault = new Error("secret path");
    const answer = await client.post("/v2/models/m.two/infer", { inputs: [a, b] });
    expect(answer).toMatchObject({ status: 500, body: { code: "internal", path: [] } });
    expect(JSON.stringify(answer.body)).not.toContain("secret");
  });

  test("Retry-After goes with every `unavailable`", () => {
    expect(unavailable("x", "y")).toMatchObject({ status: 503, headers: { "Retry-After": "1" } });
  });
});

describe("a client that goes away", () => {
  test("aborts its request, and one that stays does not", async () => {
    let started = (): void => undefined;
    const running = new Promise<void>((resolve) => {
      started = resolve;
    });
    const held = engine.infer;
    const aborted = new Promise<void>((resolve) => {
      engine.infer = (request) => {
        started();
        return new Promise((_, reject) => {
          request.signal!.addEventListener("abort", () => {
            resolve();
            reject(new HttpError("Cannot infer: the client is gone", { status: 499, code: "cancelled" }));
          });
        });
      };
    });
    const controller = new AbortController();
    const lost = fetch(`${url}/v2/models/m.two/infer`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ inputs: [a, b] }),
      signal: controller.signal,
    });
    await running;
    controller.abort();
    await expect(lost).rejects.toThrow();
    await aborted;
    engine.infer = held;
    await client.post("/v2/models/m.two/infer", { inputs: [a, b] });
    expect(engine.asked.at(-1)!.signal!.aborted).toBe(false);
  });
});

describe("table: statistics", () => {
  test("fields are Triton's, with the cache counts of a server without a cache", async () => {
    const { body } = await client.get("/v2/models/m.two/stats");
    const times = (count: number) => ({ count, ns: 1000 * count });
    expect(body).toEqual({
      model_stats: [
        {
          name: "m.two",
          version: "1",
          last_inference: 1_700_000_000_001,
          inference_count: 12,
          execution_count: 3,
          inference_stats: {
            success: times(1),
            fail: times(2),
            queue: times(3),
            compute_input: times(4),
            compute_infer: times(5),
            compute_output: times(6),
            cache_hit: times(0),
            cache_miss: times(0),
          },
          batch_stats: [{ batch_size: 4, compute_input: times(7), compute_infer: times(8), compute_output: times(9) }],
        },
      ],
    });
    expect(((await client.get("/v2/models/stats")).body as { model_stats: unknown[] }).model_stats).toHaveLength(6);
    expect(await client.get("/v2/models/m.none/stats")).toMatchObject({ status: 404 });
  });
});
