import { parentPort } from "node:worker_threads";
import { createSession } from "../../runtime/create-session.ts";
import type { Session } from "../../runtime/session.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { toFault } from "../engine/messages.ts";
import { readModelFile } from "../engine/model-file.ts";
import type { FromSession, ToSession } from "./scoring-session.ts";

/** The thread of `startScoringSession`: ONNX Runtime blocks it while it computes, and reading and writing go on. */

const port = parentPort!;
const sessions = new Map<string, Session>();
let queue = Promise.resolve();

port.on("message", (message: ToSession) => {
  queue = queue.then(async () => {
    try {
      const { answer, transfer } = await handle(message);
      port.postMessage(answer, transfer);
    } catch (error) {
      port.postMessage({ kind: "fault", fault: toFault(error) } satisfies FromSession);
    }
  });
});

async function handle(message: ToSession): Promise<{ answer: FromSession; transfer: ArrayBuffer[] }> {
  if (message.kind === "open") {
    const { device, threads } = message;
    for (const { task, file, sha256 } of message.models) {
      const bytes = await readModelFile(file, { sha256, label: file });
      sessions.set(task, await createSession(bytes, { device, ...(threads === undefined ? {} : { threads }) }));
    }
    return { answer: { kind: "opened" }, transfer: [] };
  }
  const outputs: Record<string, HostTensor> = {};
  const transfer: ArrayBuffer[] = [];
  const found = await sessions.get(message.task)!.run(message.inputs);
  for (const [name, tensor] of Object.entries(found)) {
    const data = tensor.data.slice(); // ONNX Runtime's own memory does not travel
    transfer.push(data.buffer as ArrayBuffer);
    outputs[name] = { ...tensor, data };
  }
  return { answer: { kind: "outputs", outputs }, transfer };
}
