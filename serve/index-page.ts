import type { InferenceEngine } from "./engine/inference-engine.ts";
import type { Route } from "./http/route.ts";
import { servedModels } from "./served-models.ts";

/** Answer to `GET /`: what is served here and how to ask for it. */
export function indexPage(
  engine: InferenceEngine,
  { version, base, routes }: { version: string; base: string; routes: readonly Route[] },
): object {
  const states = engine.models();
  const models = servedModels(engine);
  return {
    name: "cominfo",
    version,
    device: models[0]?.device,
    protocol: "Open Inference Protocol v2",
    models: models.map(({ name, spec, bundle }) => ({
      name,
      title: bundle.title,
      description: spec.description,
      try: [
        `curl -s ${base}/v2/models/${name}`,
        `curl -s ${base}/v2/models/${name}/example | curl -s -H 'content-type: application/json' -d @- ${base}/v2/models/${name}/infer`,
      ],
    })),
    unavailable: states.filter(({ status }) => status !== "READY").map(({ name, reason }) => ({ name, reason })),
    routes: routes.map(({ method, path }) => `${method} ${path}`),
  };
}

/** Where this server was reached. The text goes into commands for a shell: nothing of a client's gets in but a plain host. */
export function baseUrl(host: string | undefined, { tls }: { tls: boolean }): string {
  return `${tls ? "https" : "http"}://${host !== undefined && /^[\w.:[\]-]+$/.test(host) ? host : "127.0.0.1"}`;
}
