import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ServeConfig } from "../../schemas/serve-config.ts";
import { startServer } from "../../serve/start-server.ts";
import { type Client, clientOf, typescriptOptions } from "./client.ts";
import { begin, heavyRequest, numbers, roundTrips } from "./heavy-requests.ts";
import { arithmetic, heavy, identity, writeTinyBundle } from "./tiny-bundle.ts";

process.env.NODE_OPTIONS = typescriptOptions; // for the worker processes

let folder: string;
let bundle: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "cominfo-end-"));
  bundle = path.join(folder, "tiny");
  await writeTinyBundle(bundle, { arithmetic, heavy, int32: identity("int32") });
});

afterAll(() => rm(folder, { recursive: true }));

describe("close()", () => {
  test("is not ready at once, refuses new work, finishes the work at hand, and frees the port", async () => {
    const server = await startServer({ repository: bundle, port: 0, config: { threads: 1, instances: 1 } });
    const client = clientOf(server.url);
    expect((await client.post("/v2/models/int32/infer", numbers)).status).toBe(200);
    process.kill(server.workerPids[0]!, "SIGSTOP");
    const pid = server.workerPids[0]!;
    const inFlight = client.post("/v2/models/int32/infer", numbers);
    await roundTrips(client);
    const closed = server.close();
    expect(server.close(), "a second call waits for the first").toBe(closed);
    expect(await client.get("/v2/health/ready")).toMatchObject({ status: 503, body: { ready: false } });
    expect((await client.get("/v2/health/live")).status).toBe(200);
    expect(await client.post("/v2/models/int32/infer", numbers)).toMatchObject({
      status: 503,
      body: { code: "stopping" },
    });
    process.kill(server.workerPids[0]!, "SIGCONT");
    expect(await inFlight).toMatchObject({ status: 200, body: { outputs: [{ data: [3, 4] }] } });
    expect(await closed).toBe(true);
    await expect(fetch(server.url)).rejects.toThrow();
    expect(() => process.kill(pid, 0), "the worker is gone").toThrow("ESRCH");
  });

  test("finishes a task whose rows are more than one batch, and an inference whose body was still being sent", async () => {
    const repository = await mkdtemp(path.join(folder, ".blocks-"));
    await writeTinyBundle(path.join(repository, "tiny"), { decode: identity("int32") });
    const server = await startServer({ repository, port: 0, config: { threads: 1, instances: 1, maxBatchRows: 2 } });
    const client = clientOf(server.url);
    process.kill(server.workerPids[0]!, "SIGSTOP");
    const task = client.post("/v1/tiny/decode", { inputs: { x: [1, 2, 3, 4, 5] } });
    const inference = begin(`${server.url}/v2/models/decode/infer`, numbers);
    await roundTrips(client);
    const closed = server.close();
    process.kill(server.workerPids[0]!, "SIGCONT");
    expect(await task).toMatchObject({ status: 200, body: { outputs: { y: { data: [1, 2, 3, 4, 5] } } } });
    expect(await inference.finish()).toMatchObject({ status: 200, body: { outputs: [{ data: [3, 4] }] } });
    expect(await closed).toBe(true);
  });

  test("keeps the port open for what needs no model, and finishes it", async () => {
    const server = await startServer({ repository: bundle, port: 0, config: { threads: 1, instances: 1 } });
    const client = clientOf(server.url);
    const counts = [
      [1, 0],
      [0, 1],
    ];
    const measured = begin(`${server.url}/v1/discrete-information`, { columns: ["x", "y"], counts });
    await roundTrips(client);
    const closed = server.close();
    await roundTrips(client);
    expect(await client.post("/v1/discrete-information", {})).toMatchObject({
      status: 503,
      body: { code: "stopping" },
    });
    expect((await client.post("/v2/repository/index", {})).status).toBe(200);
    expect((await client.get("/v2/models/int32")).status).toBe(200);
    expect(await measured.finish()).toMatchObject({ status: 200, body: { mutualInformationBits: 1 } });
    expect(await closed).toBe(true);
  });

  test("is not held up by connections that only stay open", async () => {
    const server = await startServer({ repository: bundle, port: 0, config: { threads: 1, instances: 1 } });
    const agent = new Agent({ keepAlive: true });
    const request = httpRequest(`${server.url}/v2/health/live`, { agent }).end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect(await json(response)).toEqual({ live: true });
    const { socket } = request;
    const cut = once(socket!, "close");
    expect(await server.close()).toBe(true);
    await cut;
    agent.destroy();
  });

  test("does not wait for a worker that hangs over requests that have timed out", async () => {
    const server = await startServer({
      repository: bundle,
      port: 0,
      config: { threads: 1, instances: 1, timeoutMs: 50 },
    });
    const [hung] = server.workerPids as [number];
    process.kill(hung, "SIGSTOP");
    expect((await clientOf(server.url).post("/v2/models/int32/infer", numbers)).status).toBe(504);
    expect(await server.close()).toBe(true);
    expect(() => process.kill(hung, 0), "the worker is gone").toThrow("ESRCH");
  });

  test("cuts off what takes longer than drainMs, and says so", async () => {
    const server = await startServer({
      repository: bundle,
      port: 0,
      drainMs: 50,
      config: { threads: 1, instances: 1 },
    });
    const client = clientOf(server.url);
    process.kill(server.workerPids[0]!, "SIGSTOP");
    const cutOff = client.post("/v2/models/int32/infer", numbers).then(
      (answer) => answer.status,
      () => "connection closed",
    );
    await roundTrips(client);
    expect(await server.close()).toBe(false);
    expect([503, "connection closed"]).toContain(await cutOff);
  });

  test("says that it cut off a body that was still being sent", async () => {
    const server = await startServer({
      repository: bundle,
      port: 0,
      drainMs: 50,
      config: { threads: 1, instances: 1 },
    });
    const slow = begin(`${server.url}/v1/discrete-information`, { columns: ["x", "y"], counts: [[1]] });
    await roundTrips(clientOf(server.url));
    expect(await server.close()).toBe(false);
    await expect(slow.finish()).rejects.toThrow();
  });
});

describe("a start that fails", () => {
  test("names a port that is in use", async () => {
    const blocker = createServer().listen(0, "127.0.0.1");
    await once(blocker, "listening");
    const { port } = blocker.address() as { port: number };
    await expect(startServer({ repository: bundle, port })).rejects.toMatchObject({
      name: "FailureError",
      message:
        `Cannot serve on 127.0.0.1 port ${port}: the port must be free, got one in use; ` +
        "stop the other program or choose a free port with --port 0",
    });
    blocker.close();
  });

  test("names a folder that is missing or has no bundle, and a single bundle that is bad", async () => {
    const missing = path.join(folder, "missing");
    await expect(startServer({ repository: missing })).rejects.toMatchObject({
      name: "UsageError",
      message: `Cannot serve "${missing}": it must be a folder of bundles, got nothing there`,
    });
    const empty = await mkdtemp(path.join(folder, ".empty-"));
    await expect(startServer({ repository: empty })).rejects.toThrow("it must hold a bundle");
    await writeFile(path.join(empty, "manifest.json"), '{"format": 1}');
    await expect(startServer({ repository: empty })).rejects.toThrow(
      /^Cannot read .*manifest\.json: "name" is missing$/,
    );
  });

  test.skipIf(process.platform !== "linux")(
    "names a device that cannot start, and leaves no process behind",
    async () => {
      process.env.VK_ICD_FILENAMES = "/nowhere/icd.json";
      await expect(startServer({ repository: bundle, port: 0, device: "webgpu" })).rejects.toMatchObject({
        name: "FailureError",
        code: "no_device",
        message: expect.stringMatching(/^Cannot start device webgpu: /),
      });
      delete process.env.VK_ICD_FILENAMES;
    },
  );
});

describe("the process", () => {
  /** Runs the server in a Node of its own and gives its address once it serves. */
  async function spawnServer(
    config: ServeConfig = {},
  ): Promise<{ child: ChildProcess; client: Client; output: () => string }> {
    const entry = new URL("../../serve/run-server.ts", import.meta.url).href;
    const script = `const { runServer } = await import(${JSON.stringify(entry)});
      await runServer({ repository: ${JSON.stringify(bundle)}, port: 0, threads: 1, config: ${JSON.stringify(config)} });`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "pipe", detached: true });
    let text = "";
    const url = await new Promise<string>((resolve, reject) => {
      const read = (chunk: Buffer) => {
        text += chunk.toString();
        const found = /http:\/\/[\d.]+:\d+/.exec(text);
        if (found !== null) resolve(found[0]);
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      child.once("exit", () => reject(new Error(text)));
    });
    return { child, client: clientOf(url), output: () => text };
  }

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "ends with code 0 on %s, after the answer at hand",
    async (signal) => {
      const { child, client, output } = await spawnServer();
      const exited = once(child, "exit");
      const inFlight = client.post("/v2/models/heavy/infer", heavyRequest(1500));
      await roundTrips(client);
      // To the whole group and twice, as Ctrl-C in a terminal under `npm start` does, or closing it.
      process.kill(-child.pid!, signal);
      process.kill(-child.pid!, signal);
      expect((await inFlight).status).toBe(200);
      expect(await exited).toEqual([0, null]);
      expect(output()).toMatch(new RegExp(`^Serving 3 models of 1 bundles on cpu\nhttp.*\n${signal}: finishing.*\n$`));
    },
  );

  test("tells of options for names that nothing has, and serves", async () => {
    const { child, client, output } = await spawnServer({
      bundles: { tiny: { instances: 1 }, tinny: { instances: 2 } },
      models: { "tiny.int32": { maxQueue: 9 }, "tiny.int23": { maxQueue: 9 } },
    });
    expect((await client.get("/v2/models/tiny.int32/config")).body).toMatchObject({
      dynamic_batching: { default_queue_policy: { max_queue_size: 9 } },
    });
    const closed = once(child, "close");
    child.kill("SIGTERM");
    await closed;
    expect(output().match(/^Not used: .*$/gm)).toEqual([
      'Not used: options of bundle "tinny". It is not in the repository now, did you mean "tiny"?',
      'Not used: options of model "tiny.int23". It is not in the repository now, did you mean "tiny.int32"?',
    ]);
  });

  test("that is killed leaves no worker behind", async () => {
    const { child, client } = await spawnServer();
    expect((await client.post("/v2/models/int32/infer", numbers)).status).toBe(200);
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
    // The worker is the last of the group; it ends when its channel closes. A signal 0 asks whether any is left.
    const groupLives = () => {
      try {
        process.kill(-child.pid!, 0);
        return true;
      } catch {
        return false;
      }
    };
    while (groupLives()) await sleep(20); // the test's own time limit is the failure
  });
});
