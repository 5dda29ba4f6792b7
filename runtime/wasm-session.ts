import type { InferenceSession } from "onnxruntime-common";
import { FailureError } from "../schemas/errors.ts";
import { reason } from "./devices.ts";
import { createTurns } from "./in-turn.ts";
import { OrtSession } from "./ort-session.ts";
import type { Session, SessionOptions } from "./session.ts";

/** A web session refuses a second run while the first is in flight, and all sessions share one WASM heap. */
const wasmTurns = createTurns();

/**
 * Opens a model on ONNX Runtime's WebAssembly build, in Node, on one thread: the runtime that a browser uses.
 * The package's Node entry reads the `.wasm` file that lies beside it in `node_modules`; nothing is fetched.
 *
 * @throws FailureError when the bytes are not a valid model or use what the WASM build lacks
 */
export async function createWasmSession(
  model: Uint8Array,
  { optimization = "all" }: Pick<SessionOptions, "optimization"> = {},
): Promise<Session> {
  const { env, InferenceSession, Tensor } = await import("onnxruntime-web");
  env.wasm.numThreads = 1;
  env.logLevel = "fatal";
  let session: InferenceSession;
  try {
    session = await wasmTurns(() =>
      InferenceSession.create(model, {
        executionProviders: ["wasm"],
        graphOptimizationLevel: optimization,
        logSeverityLevel: 4,
      }),
    );
  } catch (cause) {
    throw new FailureError(`Cannot open model on wasm: ${reason(cause)}`, { code: "bad_model", cause });
  }
  const read = async (): Promise<never> => {
    throw new Error("Cannot read tensor: a WASM session keeps none");
  };
  return new OrtSession(session, { device: "wasm", TensorClass: Tensor, inTurn: wasmTurns, keep: [], read });
}
