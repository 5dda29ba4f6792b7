import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { startServer } from "../../serve/start-server.ts";
import { useSwiftshader } from "../swiftshader.ts";
import { clientOf, typescriptOptions } from "./client.ts";
import { arithmetic, writeTinyBundle } from "./tiny-bundle.ts";

process.env.NODE_OPTIONS = typescriptOptions; // for the worker process
const { skipReason } = await useSwiftshader();

test.skipIf(skipReason !== undefined)(
  "a server on WebGPU says so in its metadata and answers concurrent requests",
  async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "cominfo-webgpu-"));
    await writeTinyBundle(path.join(folder, "tiny"), { arithmetic });
    const server = await startServer({ repository: folder, port: 0, device: "webgpu", threads: 1 });
    const client = clientOf(server.url);
    const { body } = await client.get("/v2/models/arithmetic");
    expect(body).toMatchObject({ properties: { device: "webgpu" } });
    const answers = await Promise.all(
      [1, 2, 3].map((i) =>
        client.post("/v2/models/arithmetic/infer", {
          inputs: [
            { name: "left", shape: [1, 2], datatype: "FP32", data: [i, 2] },
            { name: "right", shape: [1, 2], datatype: "FP32", data: [10, i] },
          ],
        }),
      ),
    );
    expect(answers.map((answer) => answer.body)).toMatchObject(
      [1, 2, 3].map((i) => ({ outputs: [{ data: [10 + i, 2 + i] }, { data: [10 * i, 2 * i] }] })),
    );
    expect(await server.close()).toBe(true);
    await rm(folder, { recursive: true });
  },
);
