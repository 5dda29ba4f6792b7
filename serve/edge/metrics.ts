import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { InferenceEngine } from "../engine/inference-engine.ts";
import { tallied, talliedHistogram } from "./tallies.ts";

/** Prometheus metrics: seconds, `_total`, and why a batch left its queue when it did. */
export interface Metrics {
  /** The exposition format, and its content type. */
  text(): Promise<{ readonly type: string; readonly body: string }>;
  /** A request has been answered. */
  answered(request: { method: string; route: string; status: number; seconds: number }): void;
}

const seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const model = ["model", "version"] as const;

export function createMetrics(engine: InferenceEngine, { version }: { version: string }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const tally = (name: string, help: string, labelNames: readonly string[]) =>
    tallied({ name: `cominfo_${name}`, help, labelNames, registry });
  const histogram = (name: string, help: string, labelNames: readonly string[], bounds: readonly number[] = seconds) =>
    talliedHistogram({ name: `cominfo_${name}`, help, labelNames, bounds, registry });

  new Gauge({ name: "cominfo_build_info", help: "1", labelNames: ["version"], registers }).set({ version }, 1);
  const requests = tally("inference_requests_total", "Requests by how they ended", [...model, "outcome"]);
  const rows = tally("inference_rows_total", "Rows answered", model);
  const executions = tally("inference_executions_total", "Batches run", model);
  const dispatches = tally("dispatch_total", "Batches by why they left the queue", [...model, "reason"]);
  const padding = tally("inference_padding_rows_total", "Rows added to reach a bucket", model);
  const batchRows = histogram(
    "inference_batch_rows",
    "Rows of a batch",
    model,
    [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
  );
  const queue = histogram("inference_queue_seconds", "Waiting for a worker", model);
  const compute = histogram("inference_compute_seconds", "A batch in ONNX Runtime", model);
  const whole = histogram("inference_request_seconds", "From the queue to the answer", model);
  const lost = tally("workers_lost_total", "Worker processes that died", ["bundle"]);
  const http = tally("http_requests_total", "HTTP answers", ["method", "route", "status"]);
  const httpSeconds = histogram("http_request_seconds", "From the head of a request to the end of its answer", [
    "route",
  ]);
  new Gauge({
    name: "cominfo_inference_pending_requests",
    help: "Requests waiting or being computed",
    labelNames: [...model],
    registers,
    collect() {
      this.reset();
      for (const one of engine.statistics()) this.set({ model: one.name, version: one.version }, one.pending);
    },
  });
  new Gauge({
    name: "cominfo_model_ready",
    help: "1: can be asked",
    labelNames: [...model],
    registers,
    collect() {
      this.reset();
      for (const one of engine.models())
        this.set({ model: one.name, version: one.version }, Number(one.status === "READY"));
    },
  });
  new Gauge({
    name: "cominfo_ready",
    help: "1: every model can be asked",
    registers,
    collect() {
      this.set(Number(engine.ready));
    },
  });

  engine.events.on("request", ({ model, version, outcome, rows: count, totalMs, queueMs }) => {
    requests(1, model, version, outcome);
    whole(totalMs / 1000, model, version);
    if (outcome !== "success") return;
    rows(count, model, version);
    queue(queueMs / 1000, model, version);
  });
  engine.events.on("batch", ({ model, version, reason, padding: padded, rows: count, computeMs }) => {
    executions(1, model, version);
    dispatches(1, model, version, reason);
    padding(padded, model, version);
    batchRows(count, model, version);
    compute(computeMs / 1000, model, version);
  });
  engine.events.on("worker", ({ bundle, change }) => {
    if (change === "lost") lost(1, bundle);
  });

  return {
    text: async () => ({ type: registry.contentType, body: await registry.metrics() }),
    answered({ method, route, status, seconds: took }) {
      http(1, method, route, String(status));
      httpSeconds(took, route);
    },
  };
}
