import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { InferenceEngine } from "../engine/inference-engine.ts";

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
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name: `cominfo_${name}`, help, labelNames: [...labelNames], registers });
  /** For what is counted at every request: prom-client hashes and checks the labels of each count, so it is told the sums when it is asked. */
  const tally = (name: string, help: string, labelNames: readonly string[]) => {
    const sums = new Map<string, { readonly values: readonly string[]; sum: number }>();
    new Counter({
      name: `cominfo_${name}`,
      help,
      labelNames: [...labelNames],
      registers,
      collect() {
        this.reset();
        for (const { values, sum } of sums.values()) this.labels(...values).inc(sum);
      },
    });
    return (by: number, ...values: string[]): void => {
      const key = values.join(" ");
      const found = sums.get(key);
      if (found === undefined) sums.set(key, { values, sum: by });
      else found.sum += by;
    };
  };
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[], buckets = seconds) =>
    new Histogram({ name: `cominfo_${name}`, help, labelNames: [...labelNames], buckets, registers });

  new Gauge({ name: "cominfo_build_info", help: "1", labelNames: ["version"], registers }).set({ version }, 1);
  const requests = tally("inference_requests_total", "Requests by how they ended", [...model, "outcome"]);
  const rows = tally("inference_rows_total", "Rows answered", model);
  const executions = counter("inference_executions_total", "Batches run", model);
  const dispatches = counter("dispatch_total", "Batches by why they left the queue", [...model, "reason"]);
  const padding = counter("inference_padding_rows_total", "Rows added to reach a bucket", model);
  const batchRows = histogram(
    "inference_batch_rows",
    "Rows of a batch",
    model,
    [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
  );
  const queue = histogram("inference_queue_seconds", "Waiting for a worker", model);
  const compute = histogram("inference_compute_seconds", "A batch in ONNX Runtime", model);
  const whole = histogram("inference_request_seconds", "From the queue to the answer", model);
  const lost = counter("workers_lost_total", "Worker processes that died", ["bundle"]);
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

  const wholeOf = remembered((...labels) => whole.labels(...labels));
  const queueOf = remembered((...labels) => queue.labels(...labels));
  const httpSecondsOf = remembered((...labels) => httpSeconds.labels(...labels));
  engine.events.on("request", ({ model, version, outcome, rows: count, totalMs, queueMs }) => {
    requests(1, model, version, outcome);
    wholeOf(model, version).observe(totalMs / 1000);
    if (outcome !== "success") return;
    rows(count, model, version);
    queueOf(model, version).observe(queueMs / 1000);
  });
  engine.events.on("batch", (event) => {
    const labels = { model: event.model, version: event.version };
    executions.inc(labels);
    dispatches.inc({ ...labels, reason: event.reason });
    padding.inc(labels, event.padding);
    batchRows.observe(labels, event.rows);
    compute.observe(labels, event.computeMs / 1000);
  });
  engine.events.on("worker", ({ bundle, change }) => {
    if (change === "lost") lost.inc({ bundle });
  });

  return {
    text: async () => ({ type: registry.contentType, body: await registry.metrics() }),
    answered({ method, route, status, seconds: took }) {
      http(1, method, route, String(status));
      httpSecondsOf(route).observe(took);
    },
  };
}

/** The same argument gives the same value, made once. */
function remembered<T>(make: (...labels: string[]) => T): (...labels: string[]) => T {
  const made = new Map<string, T>();
  return (...labels) => {
    const key = labels.join(" ");
    let value = made.get(key);
    if (value === undefined) {
      value = make(...labels);
      made.set(key, value);
    }
    return value;
  };
}
