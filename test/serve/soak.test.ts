import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test, vi } from "vitest";
import { soak, swapFolders } from "../../bench/serve/soak.ts";
import { startServer } from "../../serve/start-server.ts";
import { typescriptOptions } from "./client.ts";
import { type TinyTask, writeTinyBundle } from "./tiny-bundle.ts";

process.env.NODE_OPTIONS = typescriptOptions; // for the worker processes

const copy: TinyTask = {
  inputs: [{ name: "x", dtype: "int32", shape: [-1, 1] }],
  outputs: [{ name: "y", dtype: "int32", shape: [-1, 1] }],
  nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
};

// The short form of `npm run bench -- soak`, which goes on for ten minutes.
test("while a bundle changes, workers are killed and clients leave, no answer is lost, doubled or wrong", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "cominfo-soak-"));
  const bundle = path.join(folder, "models", "soak");
  const write = async (at: string, seed: number): Promise<void> => {
    const manifest = await writeTinyBundle(at, { encode: copy });
    await writeFile(path.join(at, "manifest.json"), JSON.stringify({ ...manifest, seed }));
  };
  await mkdir(path.dirname(bundle), { recursive: true });
  await write(bundle, 0);
  const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const server = await startServer({
    repository: path.dirname(bundle),
    port: 0,
    pollMs: 300,
    config: { instances: 2, threads: 1 },
  });
  let state = 0;
  const result = await soak({
    port: Number(new URL(server.url).port),
    model: "soak.encode",
    seconds: 10,
    clients: 8,
    workerPids: () => server.workerPids,
    changeEveryMs: 2700,
    killEveryMs: 3100,
    async change() {
      const next = path.join(folder, `next-${++state}`, "soak");
      await write(next, state);
      swapFolders(bundle, next, path.join(folder, `old-${state}`));
    },
  });
  expect(await server.close()).toBe(true);
  log.mockRestore();
  expect(JSON.parse(await readFile(path.join(bundle, "manifest.json"), "utf8")).seed).toBe(state);
  await rm(folder, { recursive: true });

  const { sent, right, unavailable, abandoned, kills, changes } = result;
  expect(result).toMatchObject({ lost: 0, doubled: 0, wrong: [] });
  expect(right + unavailable + abandoned, "every request is accounted for").toBe(sent);
  expect(right).toBeGreaterThan(unavailable);
  expect(Math.min(kills, changes, abandoned)).toBeGreaterThan(0);
});
