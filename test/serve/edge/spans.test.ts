import { propagation, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createApp } from "../../../serve/app.ts";
import { copyBundle, fakeEngine, serveApp } from "../fake-engine.ts";

/** What a program that has registered an OpenTelemetry SDK gets to see of the server. */

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const engine = fakeEngine([copyBundle]);
let url: string;
let close: () => Promise<void>;
beforeAll(async () => {
  trace.setGlobalTracerProvider(provider);
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  ({ url, close } = await serveApp(createApp({ engine, bodyLimit: 1 << 16 })));
});
beforeEach(() => exporter.reset());
afterAll(async () => {
  await close();
  await provider.shutdown();
  trace.disable();
  propagation.disable();
});

const [traceId, parentId] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];

async function infer(headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/v2/models/m.copy/infer`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ inputs: [{ name: "x", shape: [1], datatype: "FP32", data: [1] }] }),
  });
}

test("a request is a server span in the caller's trace, under the caller's span, and the answer names it", async () => {
  const answer = await infer({ traceparent: `00-${traceId}-${parentId}-01` });
  expect(answer.status).toBe(200);
  await expect.poll(() => exporter.getFinishedSpans().length).toBe(1);
  const [span] = exporter.getFinishedSpans();
  expect(span).toMatchObject({
    name: "POST /v2/models/{model}/infer",
    parentSpanContext: { traceId, spanId: parentId },
    attributes: {
      "http.request.method": "POST",
      "http.route": "/v2/models/{model}/infer",
      "http.response.status_code": 200,
    },
  });
  const { spanId } = span!.spanContext();
  expect(answer.headers.get("traceparent")).toBe(`00-${traceId}-${spanId}-01`);
});

test("without a caller's trace a request begins one, and the answer says which", async () => {
  const answer = await infer();
  await expect.poll(() => exporter.getFinishedSpans().length).toBe(1);
  const [span] = exporter.getFinishedSpans();
  expect(span!.parentSpanContext).toBeUndefined();
  const own = span!.spanContext();
  expect(answer.headers.get("traceparent")).toBe(`00-${own.traceId}-${own.spanId}-01`);
});

test("a fault of the server is an error in its span, a fault of the client is not", async () => {
  engine.fault = new Error("broken");
  expect((await infer()).status).toBe(500);
  engine.fault = undefined;
  expect((await fetch(`${url}/v2/models/other`)).status).toBe(404);
  await expect.poll(() => exporter.getFinishedSpans().length).toBe(2);
  const codes = exporter.getFinishedSpans().map(({ status, attributes }) => [attributes["http.route"], status.code]);
  expect(codes).toEqual([
    ["/v2/models/{model}/infer", 2],
    ["/v2/models/{model}", 0],
  ]);
});
