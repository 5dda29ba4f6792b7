import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { EstimateJobs } from "../../serve/estimates/jobs.ts";
import { type RunningServer, startServer } from "../../serve/start-server.ts";
import { type Client, clientOf, typescriptOptions } from "./client.ts";
import { heavyRequest, numbers, roundTrips, untilReady } from "./heavy-requests.ts";
import { arithmetic, heavy, identity, writeTinyBundle } from "./tiny-bundle.ts";

process.env.NODE_OPTIONS = typescriptOptions; // for the worker processes

let folder: string;
let bundle: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "cominfo-life-"));
  bundle = path.join(folder, "tiny");
  await writeTinyBundle(bundle, { arithmetic, heavy, int32: identity("int32") });
});

afterAll(() => rm(folder, { recursive: true }));

/** A server on the tiny bundle, closed when the test has ended. */
async function withServer(
  use: (server: RunningServer, client: Client) => Promise<void>,
  repository = bundle,
): Promise<void> {
  const server = await startServer({ repository, port: 0, threads: 1, config: { instances: 1 } });
  try {
    await use(server, clientOf(server.url));
  } finally {
    await server.close();
  }
}

describe("names", () => {
  test("the tasks of a single bundle answer to their plain names too", async () => {
    await withServer(async (_server, client) => {
      for (const name of ["int32", "tiny.int32"]) {
        expect((await client.get(`/v2/models/${name}`)).body).toMatchObject({ name });
        const answer = await client.post(`/v2/models/${name}/infer`, numbers);
        expect(answer.body).toMatchObject({ model_name: name, outputs: [{ data: [3, 4] }] });
      }
    });
  });
});

describe("a repository", () => {
  test("of bad bundles only is served with their reasons, and is not ready", async () => {
    const repository = await mkdtemp(path.join(folder, ".bad-"));
    await cp(bundle, path.join(repository, "renamed"), { recursive: true });
    await withServer(async (server, client) => {
      const reason = `its manifest's name must be that of its folder, got "tiny"`;
      expect(server.bad).toEqual([{ name: "renamed", version: "", status: "UNAVAILABLE", reason }]);
      expect((await client.get("/v2/health/live")).status).toBe(200);
      expect((await client.get("/v2/health/ready")).status).toBe(503);
      expect((await client.post("/v2/repository/index", {})).body).toEqual([
        { name: "renamed", version: "", state: "UNAVAILABLE", reason },
      ]);
      expect(await client.post("/v2/models/renamed.int32/infer", numbers)).toMatchObject({
        status: 404,
        body: { error: expect.stringContaining(reason), code: "bad_bundle" },
      });
    }, repository);
  });

  test("refuses a manifest that leads out of its bundle", async () => {
    const repository = await mkdtemp(path.join(folder, ".escape-"));
    await cp(bundle, path.join(repository, "tiny"), { recursive: true });
    const file = path.join(repository, "tiny", "manifest.json");
    const manifest = JSON.parse(await readFile(file, "utf8"));
    manifest.tasks.int32.file = "../../other/model.onnx";
    await writeFile(file, JSON.stringify(manifest));
    await expect(startServer({ repository: path.join(repository, "tiny"), port: 0 })).rejects.toThrow(
      'Cannot serve tiny/manifest.json: file of "int32" must be int32/1/model.onnx, got "../../other/model.onnx"',
    );
  });
});

describe("while the worker computes", () => {
  test("health and metadata answer before the inference that was asked for first", async () => {
    await withServer(async (_server, client) => {
      const order: string[] = [];
      const inference = client.post("/v2/models/heavy/infer", heavyRequest(1500)).then((answer) => {
        order.push("inference");
        return answer;
      });
      await roundTrips(client);
      expect((await client.get("/v2/health/ready")).status).toBe(200);
      order.push("health");
      expect((await inference).status).toBe(200);
      expect(order).toEqual(["health", "inference"]);
    });
  });
});

describe("a worker that is killed", () => {
  test("costs its requests a 503 with Retry-After, and a new one takes over", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    await withServer(async (server, client) => {
      expect((await client.post("/v2/models/int32/infer", numbers)).status).toBe(200);
      const first = server.workerPids[0]!;
      process.kill(first, "SIGSTOP"); // it holds what it is given, so the kill comes while it has work
      const lost = [client.post("/v2/models/int32/infer", numbers), client.post("/v2/models/heavy/infer", numbers)];
      await roundTrips(client);
      process.kill(first, "SIGKILL");
      const [infer, bad] = await Promise.all(lost);
      expect(infer).toMatchObject({
        status: 503,
        body: { error: "Cannot infer: the worker was lost (SIGKILL)", code: "worker_lost", path: [] },
      });
      expect(infer!.headers.get("retry-after")).toBe("1");
      expect(bad!.status, "a bad request is answered without the worker").toBe(400);

      await untilReady(client);
      expect(server.workerPids[0]).not.toBe(first);
      expect(await client.post("/v2/models/int32/infer", numbers)).toMatchObject({
        status: 200,
        body: { outputs: [{ data: [3, 4] }] },
      });
    });
    expect(log).toHaveBeenCalledExactlyOnceWith('Worker of "tiny" lost (SIGKILL) with 1 batch; starting a new one');
    log.mockRestore();
  });

  test("is not ready and answers 503 while no new one can start, and recovers once one can", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    await withServer(async (server, client) => {
      process.env.NODE_OPTIONS = "--no-such-option";
      process.kill(server.workerPids[0]!, "SIGKILL");
      await vi.waitUntil(() => log.mock.calls.length >= 3); // the loss and two starts in vain
      expect(log.mock.calls[0]).toEqual(['Worker of "tiny" lost (SIGKILL) with 0 batches; starting a new one']);
      expect(log.mock.calls[1]).toEqual(["Cannot start worker: it must answer, got exit code 9"]);
      expect(await client.get("/v2/health/ready")).toMatchObject({ status: 503, body: { ready: false } });
      expect(await client.get("/v2/models/int32/ready")).toMatchObject({ status: 503, body: { ready: false } });
      const answer = await client.post("/v2/models/int32/infer", numbers);
      expect(answer).toMatchObject({ status: 503, body: { code: "worker_starting" } });
      process.env.NODE_OPTIONS = typescriptOptions;
      await untilReady(client);
      expect((await client.post("/v2/models/int32/infer", numbers)).status).toBe(200);
    });
    log.mockRestore();
  });
});

describe("a bundle alone in its folder", () => {
  test("is refused when a file is not that of its manifest, without a path of this machine", async () => {
    const copy = path.join(folder, "copy");
    await cp(bundle, copy, { recursive: true });
    const file = path.join(copy, "int32", "1", "model.onnx");
    await writeFile(file, (await readFile(file)).subarray(1));
    await expect(startServer({ repository: copy, port: 0 })).rejects.toThrow(
      /^Cannot load model: copy\/int32\/1\/model\.onnx must have the SHA-256 of its manifest/,
    );
  });

  test("is refused when its file holds other tensors than its manifest says", async () => {
    const copy = path.join(folder, "liar");
    await cp(bundle, copy, { recursive: true });
    const file = path.join(copy, "manifest.json");
    const manifest = JSON.parse(await readFile(file, "utf8"));
    manifest.tasks.int32.outputs[0].name = "z";
    await writeFile(file, JSON.stringify(manifest));
    await expect(startServer({ repository: copy, port: 0 })).rejects.toMatchObject({
      message:
        'Cannot load model "tiny.int32 version 1": its file must have z int32[n] as its manifest says, got y int32[n]',
      code: "bad_bundle",
    });
  });
});

describe("while models are loaded", () => {
  test("their bundles are 503 with Retry-After, earlier estimates are known, and none is begun", async () => {
    const estimates = await mkdtemp(path.join(folder, ".estimates-"));
    const earlier = new EstimateJobs({
      folder: estimates,
      run: () => Promise.reject(),
      logger: { error: () => undefined },
    });
    const settings = { kind: "common-information", version: undefined, seed: 1, resamples: 100, inputs: {} };
    const { id } = await earlier.add({ ...settings, bundle: "tiny" });
    // Workers that do not begin until a file is there; where the server listens is not told before they have.
    const gate = path.join(folder, "gate");
    const wait = `import { existsSync } from "node:fs"; while (!existsSync(${JSON.stringify(gate)})) await new Promise((go) => setTimeout(go, 10));`;
    await writeFile(`${gate}.mjs`, wait);
    process.env.NODE_OPTIONS = `${typescriptOptions} --import ${gate}.mjs`;
    const listening = vi.spyOn(Server.prototype, "listen");
    const starting = startServer({ repository: bundle, port: 0, threads: 1, estimates });
    await vi.waitUntil(() => (listening.mock.contexts[0] as Server | undefined)?.listening === true);
    const { port } = (listening.mock.contexts[0] as Server).address() as { port: number };
    listening.mockRestore();
    const client = clientOf(`http://127.0.0.1:${port}`);
    expect((await client.get("/v2/health/ready")).status).toBe(503);
    const estimate = `/v1/tiny/estimates/${id}`;
    expect(await client.get(estimate)).toMatchObject({ status: 200, body: { id, state: "waiting" } });
    for (const at of [
      "/v1/tiny/decode",
      "/v1/tiny/estimates",
      "/v2/models/int32/infer",
      "/v2/models/tiny.int32/infer",
    ]) {
      const answer = await client.post(at, numbers);
      expect(answer, at).toMatchObject({ status: 503, body: { code: "not_ready" } });
      expect(answer.headers.get("retry-after"), at).toBe("1");
    }
    expect((await client.post("/v1/other/decode", numbers)).status).toBe(404);
    expect((await client.get(estimate)).body).toMatchObject({ state: "waiting" });

    await writeFile(gate, "");
    const server = await starting;
    process.env.NODE_OPTIONS = typescriptOptions;
    expect((await client.post("/v2/models/int32/infer", numbers)).status).toBe(200);
    await vi.waitUntil(async () => ((await client.get(estimate)).body as { state: string }).state === "running");
    expect(await server.close()).toBe(true);
  });
});

describe("a reload to another version", () => {
  test("leaves a task of several batches on the version that it began with", async () => {
    const repository = await mkdtemp(path.join(folder, ".versions-"));
    const at = path.join(repository, "tiny");
    await writeTinyBundle(at, { decode: identity("int32") });
    const operator = "operator-token-0123456789";
    const config = { threads: 1, maxBatchRows: 2 };
    const server = await startServer({ repository, port: 0, config, tokens: { operator } });
    const client = clientOf(server.url);
    const [before] = server.workerPids as [number];
    process.kill(before, "SIGSTOP");
    const task = client.post("/v1/tiny/decode", { inputs: { x: [1, 2, 3, 4, 5] } });
    await roundTrips(client);
    await writeTinyBundle(at, { decode: identity("int32") }, "2");
    const headers = { authorization: `Bearer ${operator}`, "content-type": "application/json" };
    expect((await client.post("/v2/repository/models/tiny/load", {}, { headers })).status).toBe(200);
    process.kill(before, "SIGCONT");
    expect(await task).toMatchObject({
      status: 200,
      body: { version: "1", outputs: { y: { data: [1, 2, 3, 4, 5] } } },
    });
    const next = await client.post("/v1/tiny/decode", { inputs: { x: [6] } });
    expect(next).toMatchObject({ status: 200, body: { version: "2", outputs: { y: { data: [6] } } } });
    expect(await server.close()).toBe(true);
  });
});
