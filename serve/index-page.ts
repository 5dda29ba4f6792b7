import type { Device } from "../runtime/session.ts";
import { datatypeOf, type InferRequest } from "../schemas/open-inference.ts";
import { elementCount } from "../schemas/tensor.ts";
import type { Repository, ServedModel } from "./repository.ts";

/** Answer to `GET /`: what is served here and how to ask for it. */
export function indexPage(
  { models, bad }: Repository,
  { version, device, host }: { version: string; device: Device; host: string | undefined },
): object {
  // The commands are meant for a shell: nothing that a client sends gets into them but a plain host.
  const base = `http://${host !== undefined && /^[\w.:[\]-]+$/.test(host) ? host : "127.0.0.1"}`;
  return {
    name: "cominfo",
    version,
    device,
    protocol: "Open Inference Protocol v2, JSON tensors",
    models: models.map(({ name, spec, bundle }) => ({
      name,
      title: bundle.title,
      description: spec.description,
      try: [
        `curl -s ${base}/v2/models/${name}`,
        `curl -s ${base}/v2/models/${name}/example | curl -s -H 'content-type: application/json' -d @- ${base}/v2/models/${name}/infer`,
      ],
    })),
    unavailable: bad,
    routes: [
      "GET /v2",
      "GET /v2/health/live",
      "GET /v2/health/ready",
      "GET /v2/models/{model}[/versions/{version}]",
      "GET /v2/models/{model}[/versions/{version}]/ready",
      "GET /v2/models/{model}[/versions/{version}]/example",
      "POST /v2/models/{model}[/versions/{version}]/infer",
      "POST /v2/repository/index",
    ],
  };
}

/** A request that the model accepts: one row of zeros. */
export function exampleRequest({ spec, name }: ServedModel): InferRequest {
  const inputs = spec.inputs.map((input) => {
    const shape = input.shape.map((size) => Math.abs(size));
    const data = new Array<number | boolean>(elementCount(shape)).fill(input.dtype === "bool" ? false : 0);
    return { name: input.name, shape, datatype: datatypeOf[input.dtype], data };
  });
  return { id: `example of ${name}`, inputs };
}
