import type { InferenceEngine, ServedModel } from "./engine/inference-engine.ts";

/** Every model that can be asked, once, in the version that is answered without one. */
export function servedModels(engine: InferenceEngine): ServedModel[] {
  const names = new Set(
    engine
      .models()
      .filter(({ status }) => status === "READY")
      .map(({ name }) => name),
  );
  return [...names].map((name) => engine.find(name));
}
