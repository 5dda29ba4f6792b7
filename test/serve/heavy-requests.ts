import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Client } from "./client.ts";

/** Requests to a server on the tiny bundle, for tests of what happens in the middle of one. */

export const numbers = { inputs: [{ name: "x", shape: [2], datatype: "INT32", data: [3, 4] }] };

/** Some seconds of work on one thread. */
export function heavyRequest(rows: number): object {
  return { inputs: [{ name: "x", shape: [rows, 1], datatype: "FP32", data: new Array(rows).fill(0.01) }] };
}

/** A few round trips: what was sent before them has reached the server when they are back. */
export async function roundTrips(client: Client): Promise<void> {
  for (let i = 0; i < 5; i++) expect((await client.get("/v2/health/live")).status).toBe(200);
}

/** A POST whose head has been sent, and whose body and answer are still to come. */
export function begin(url: string, body: object): { finish: () => Promise<{ status: number; body: unknown }> } {
  const text = JSON.stringify(body);
  const headers = { "content-type": "application/json", "content-length": text.length };
  const request = httpRequest(url, { method: "POST", headers });
  request.flushHeaders();
  const answered = once(request, "response") as Promise<[IncomingMessage]>;
  answered.catch(() => undefined); // whoever finishes it is told
  return {
    async finish() {
      if (!request.destroyed) request.end(text);
      const [response] = await answered;
      return { status: response.statusCode!, body: await json(response) };
    },
  };
}

export async function untilReady(client: Client): Promise<void> {
  while ((await client.get("/v2/health/ready")).status !== 200) await sleep(20);
}
