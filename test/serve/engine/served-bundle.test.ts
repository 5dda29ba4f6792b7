import { EventEmitter } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { openRepository } from "../../../serve/engine/bundle-files.ts";
import type { EngineEvents } from "../../../serve/engine/inference-engine.ts";
import { ModelQueue } from "../../../serve/engine/model-queue.ts";
import { batchingOf, bundleOf } from "../../../serve/engine/options.ts";
import { ServedBundle } from "../../../serve/engine/served-bundle.ts";
import { Statistics } from "../../../serve/engine/statistics.ts";
import { typescriptOptions } from "../client.ts";
import { identity, writeTinyBundle } from "../tiny-bundle.ts";

process.env.NODE_OPTIONS = typescriptOptions; // for the worker processes

test("a worker that hangs is killed once nobody waits for its batch, and its successor answers what waits", async () => {
  const repository = await mkdtemp(path.join(tmpdir(), "cominfo-served-"));
  await writeTinyBundle(path.join(repository, "tiny"), { f: identity("float32") });
  const files = await (await openRepository(repository)).read("tiny");
  const events = new EventEmitter<EngineEvents>();
  const changes: string[] = [];
  events.on("worker", ({ change, reason, batches }) => changes.push(`${change} ${batches} ${reason}`));
  let later = 0; // ms that did not really pass
  const queue = new ModelQueue({
    name: "tiny.f",
    spec: files.tasks[0]!.versions[0]!,
    options: batchingOf({}, "tiny.f"),
    statistics: new Statistics("tiny.f", "1"),
    events,
    clock: () => performance.now() + later,
  });
  const options = bundleOf({ threads: 1, instances: 1 }, "tiny");
  const served = await ServedBundle.start({ files, options, queues: [queue], events });
  const ask = (value: number, timeoutMs: number) => {
    const x = { dtype: "float32" as const, shape: [1], data: Float32Array.of(value) };
    return served.submit(queue, { model: "tiny.f", inputs: { x }, timeoutMs });
  };
  try {
    const [hung] = served.pids as [number];
    process.kill(hung, "SIGSTOP");
    await expect(ask(1, 50)).rejects.toMatchObject({ status: 504, code: "timeout" });
    const waiting = ask(2, 120_000);
    later = 10_000;
    const poke = ask(3, 120_000); // whatever makes the queue look at its clock
    expect((await waiting).outputs.y!.data).toEqual(Float32Array.of(2));
    expect((await poke).outputs.y!.data).toEqual(Float32Array.of(3));
    expect(served.pids).not.toContain(hung);
    expect(changes).toEqual([
      expect.stringMatching(/^lost 1 no answer in \d+ s, and nobody waits for it any more$/),
      "started 0 ",
    ]);
    expect(served.healthy).toBe(true);
  } finally {
    await served.stop(0);
    await rm(repository, { recursive: true });
  }
});
