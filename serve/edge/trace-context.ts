import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { context, propagation, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";

/**
 * W3C trace context. Spans go to whatever OpenTelemetry SDK the user's program has registered
 * (`node --import ./otel.mjs ...`); without one they cost next to nothing, and the ids are passed on all the same.
 *
 * Source: https://www.w3.org/TR/trace-context/
 */
export interface RequestTrace {
  /** For the log; undefined where the caller sent none and no SDK is there. */
  readonly traceId: string | undefined;
  /** For the answer: the caller's trace, and the id of this server's part of it. */
  readonly traceparent: string | undefined;
  end(outcome: { readonly status: number; readonly route: string }): void;
}

const tracer = trace.getTracer("cominfo");

export function startTrace(request: IncomingMessage): RequestTrace {
  const incoming = parseTraceparent(request.headers.traceparent);
  const parent = propagation.extract(context.active(), request.headers);
  const span = tracer.startSpan(
    `${request.method}`,
    { kind: SpanKind.SERVER, attributes: { "http.request.method": request.method ?? "" } },
    parent,
  );
  const recorded = span.isRecording() ? span.spanContext() : undefined;
  const own = recorded ?? (incoming && { ...incoming, spanId: randomBytes(8).toString("hex") });
  return {
    traceId: own?.traceId,
    traceparent: own && `00-${own.traceId}-${own.spanId}-${own.traceFlags.toString(16).padStart(2, "0")}`,
    end: (outcome) => endSpan(span, { method: request.method ?? "", ...outcome }),
  };
}

function endSpan(span: Span, { method, route, status }: { method: string; route: string; status: number }): void {
  span.updateName(`${method} ${route}`);
  span.setAttributes({ "http.route": route, "http.response.status_code": status });
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** The parts of a header `traceparent`; undefined where it is none: a trace is never refused for its header. */
export function parseTraceparent(
  header: string | string[] | undefined,
): { traceId: string; spanId: string; traceFlags: number } | undefined {
  if (typeof header !== "string") return undefined;
  const parts = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(header.trim());
  if (parts === null) return undefined;
  const [, version, traceId, spanId, flags, rest] = parts as unknown as string[];
  const zero = /^0+$/.test(traceId!) || /^0+$/.test(spanId!);
  if (version === "ff" || zero || (version === "00" && rest !== undefined)) return undefined;
  return { traceId: traceId!, spanId: spanId!, traceFlags: Number.parseInt(flags!, 16) & 1 };
}
