import { fork } from "node:child_process";
import { builtFile } from "../../files/built-file.ts";
import type { CellMessage, CellRequest } from "./cell-process.ts";

/** How a cell ended. */
export type CellOutcome = Exclude<CellMessage, { kind: "step" }>;

/**
 * Trains and evaluates one cell in a process of its own. A process that ends without an answer is a failed cell.
 *
 * @param signal when it aborts, the step in work is finished and saved
 */
export function runCell(
  request: CellRequest,
  { signal, onStep }: { signal: AbortSignal; onStep: (step: number) => void },
): Promise<CellOutcome> {
  return new Promise((resolve) => {
    const child = fork(builtFile("train/sweep/cell-process"), {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let said = ""; // its last words, for a process that dies without an answer
    child.stderr!.on("data", (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-500);
    });
    let answer: CellOutcome | undefined;
    const stop = (): void => void child.send("stop", () => {});
    signal.addEventListener("abort", stop, { once: true });
    child.on("message", (message: CellMessage) => {
      if (message.kind === "step") onStep(message.step);
      else answer = message;
    });
    child.on("error", (error) => {
      answer ??= { kind: "failed", message: `its process did not start: ${error.message}` };
    });
    child.on("close", (code, killer) => {
      signal.removeEventListener("abort", stop);
      const how = killer === null ? `with code ${code}` : `by ${killer}`;
      resolve(answer ?? { kind: "failed", message: `its process ended ${how}: ${said.trim() || "it said nothing"}` });
    });
    child.send(request);
    if (signal.aborted) stop();
  });
}
