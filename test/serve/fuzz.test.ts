import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp, routesOf } from "../../serve/app.ts";
import { createMetrics } from "../../serve/edge/metrics.ts";
import { openApiDocument } from "../../serve/openapi/document.ts";
import { fakeEngine, serveApp } from "./fake-engine.ts";
import { fuzzRoutes } from "./fuzz-routes.ts";
import { twoView } from "./tasks/two-view-bundle.ts";

/**
 * Every route of the document, with bodies made from its schemas and with hostile ones. COMINFO_FUZZ sets how many
 *; 10,000 want `node --expose-gc`.
 */
const runs = Number(process.env.COMINFO_FUZZ ?? 300);

let url: string;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ url, close } = await serveApp(createApp({ engine: fakeEngine([twoView]), bodyLimit: 1 << 16 })));
});
afterAll(() => close());

describe("any body on any route", () => {
  test(`never gives a 5xx, a stack trace or a body of another form (${runs} bodies)`, async () => {
    const engine = fakeEngine([twoView]);
    const parts = { engine, bodyLimit: 1 };
    const document = openApiDocument(routesOf(parts, createMetrics(engine, { version: "1" })), { version: "1" });
    const calls = fuzzRoutes(document);
    const statuses = new Map<number, number>();
    let heap = 0;
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(calls, async ({ method, path, headers, body }) => {
        const answer = await fetch(url + path, {
          method,
          headers,
          ...(body === undefined ? {} : { body: Uint8Array.from(body) }),
        });
        const text = await answer.text();
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        const off = answer.status === 503 && text.includes("estimates_off"); // this server was given no folder
        expect(answer.status < 500 || off, `${answer.status} ${text}`).toBe(true);
        expect(text).not.toMatch(/\n {4}at |node_modules|\.ts:\d/);
        if (answer.status >= 400) {
          const { error, code, path: at, ...rest } = JSON.parse(text);
          expect([typeof error, typeof code, Array.isArray(at), rest]).toEqual(["string", "string", true, {}]);
        } else if (/json/.test(answer.headers.get("content-type") ?? "") && text !== "") JSON.parse(text);
        sent++;
        if (globalThis.gc !== undefined && (sent === Math.floor(runs / 10) || sent === runs)) {
          globalThis.gc();
          const now = process.memoryUsage().heapUsed;
          if (sent === runs && runs >= 5000) {
            console.log(`heap after ${Math.floor(runs / 10)} and ${runs} bodies: ${heap} and ${now} bytes`);
            expect(now - heap).toBeLessThan(16 * 2 ** 20);
          }
          heap = now;
        }
      }),
      { seed: 20261122, numRuns: runs },
    );
    if (runs >= 5000) console.log(Object.fromEntries([...statuses].sort(([a], [b]) => a - b)));
    // Both kinds arrive: bodies that are taken, and bodies that are not.
    expect(statuses.get(200) ?? 0).toBeGreaterThan(runs / 50);
    expect(statuses.get(400) ?? 0).toBeGreaterThan(runs / 50);
    expect((await fetch(`${url}/v2/health/live`)).status).toBe(200);
  }, 900_000);

  test("that pollutes a prototype leaves no trace", async () => {
    const poison =
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"inputs":{"__proto__":{"polluted":1}}}';
    for (const path of [
      "/v1/toy/encode",
      "/v2/models/toy.encode/infer",
      "/v1/discrete-information",
      "/v2/repository/index",
    ]) {
      const headers = { "content-type": "application/json" };
      const answer = await fetch(url + path, { method: "POST", headers, body: poison });
      expect(answer.status).toBe(400);
    }
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test.each([
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/x",
    "a%00b",
    "__proto__",
    "constructor",
    "toy.__proto__",
  ])("404 or 400 for the name %s, wherever a name stands", async (name) => {
    for (const path of [`/v2/models/${name}`, `/v1/${name}/encode`, `/docs/${name}`, `/v1/toy/estimates/${name}`]) {
      const method = path.startsWith("/v1") && path.endsWith("encode") ? "POST" : "GET";
      const { status } = await fetch(url + path, { method });
      expect([400, 404, 503], `${method} ${path} ${status}`).toContain(status);
    }
  });
});
