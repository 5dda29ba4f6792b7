import { startDevice } from "../../runtime/devices.ts";
import type { TrialAnswer, TrialRequest } from "./choose-device.ts";
import { createCompiledEngine } from "./compiled-engine.ts";
import type { Engine } from "./engine.ts";

/** Child process of `chooseDevice`: opens a step on one device, then times it. Its parent may kill it at any time. */

const timedSteps = 3;
let engine: Engine | undefined;

process.on("SIGINT", () => {}); // Ctrl-C is the parent's to handle
process.on("disconnect", () => process.exit(0));
process.on("message", (request: TrialRequest) => {
  void handle(request).then(
    (answer) => process.send!(answer),
    (error: unknown) =>
      process.send!({ kind: "failed", message: error instanceof Error ? error.message : String(error) }),
  );
});

async function handle(request: TrialRequest): Promise<TrialAnswer> {
  if (request.kind === "start") {
    await startDevice(request.device);
    return { kind: "ready" };
  }
  if (request.kind === "open") {
    engine = await createCompiledEngine(request.step, request.options);
    return { kind: "ready" };
  }
  await engine!.step(request.feeds); // allocation, and on a GPU the compilation of shaders
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < timedSteps; i++) {
    const start = performance.now();
    await engine!.step(request.feeds); // its loss terms are on the host, so the device has finished
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return { kind: "timed", secondsPerStep: best };
}
