import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { afterEach, describe, expect, test } from "vitest";
import { type AppParts, createApp } from "../../../serve/app.ts";
import { Exchanges } from "../../../serve/edge/exchanges.ts";
import { parseTraceparent } from "../../../serve/edge/trace-context.ts";
import { type Listening, listen } from "../../../serve/listen.ts";
import { type Client, clientOf, typescriptOptions } from "../client.ts";
import { copyBundle, type FakeEngine, fakeEngine } from "../fake-engine.ts";
import { testCertificate } from "./test-certificate.ts";

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

async function serve(
  parts: Partial<AppParts> = {},
  listening: Partial<Listening> = {},
): Promise<{ url: string; client: Client; engine: FakeEngine }> {
  const engine = fakeEngine([copyBundle]);
  const app = createApp({ engine, bodyLimit: 1 << 16, ...parts });
  const { server, url } = await listen(app, { host: "127.0.0.1", port: 0, ...listening });
  open.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url, client: clientOf(url), engine };
}

const body = { inputs: [{ name: "x", shape: [1], datatype: "FP32", data: [1] }] };
const [client, operator] = ["client-token-0123456789", "operator-token-0123456789"];
const bearer = (token: string) => ({
  headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
});

describe("tokens", () => {
  test("wanted of clients on every route but health and documents, on the short way to infer as well", async () => {
    const { client: http, url } = await serve({ tokens: { client, operator } });
    for (const path of ["/v2/health/live", "/v2/health/ready", "/openapi.json", "/docs"]) {
      expect((await fetch(url + path)).status, path).toBe(200);
    }
    for (const path of ["/", "/v2", "/v2/models/m.copy", "/v2/models/stats", "/metrics"]) {
      expect(await http.get(path), path).toMatchObject({ status: 401, body: { code: "unauthorized", path: [] } });
    }
    const infer = "/v2/models/m.copy/infer";
    expect((await http.post(infer, body)).headers.get("www-authenticate")).toBe("Bearer");
    const wrong = await http.post(infer, body, bearer("wrong-token-0123456789"));
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
    // The long way: a name with an escape.
    expect((await http.post("/v2/models/m%2Ecopy/infer", body)).status).toBe(401);
    for (const token of [client, operator]) {
      expect((await http.post(infer, body, bearer(token))).status).toBe(200);
      expect((await http.post("/v2/models/m%2Ecopy/infer", body, bearer(token))).status).toBe(200);
    }
  });

  test("of the operator alone load and unload; without one nobody may", async () => {
    const { client: http, engine } = await serve({ tokens: { client, operator } });
    const path = "/v2/repository/models/m/load";
    expect((await http.post(path, {})).status).toBe(401);
    expect((await http.post(path, {}, bearer(client))).status).toBe(401);
    expect(engine.changes).toEqual([]);
    expect(await http.post(path, {}, bearer(operator))).toMatchObject({ status: 200, body: {} });
    expect((await http.post("/v2/repository/models/m/unload", "", bearer(operator))).status).toBe(200);
    expect(engine.changes).toEqual(["load m", "unload m"]);
    const config = { parameters: { config: "{}" } };
    expect(await http.post(path, config, bearer(operator))).toMatchObject({
      status: 400,
      body: { code: "unsupported" },
    });

    const without = await serve();
    expect((await without.client.post("/v2/models/m.copy/infer", body)).status).toBe(200);
    expect(await without.client.post(path, {}, bearer(operator))).toMatchObject({
      status: 403,
      body: { code: "operator_off" },
    });
    expect(without.engine.changes).toEqual([]);
  });
});

describe("a rate limit", () => {
  test("answers 429 with Retry-After above it, on both ways to infer", async () => {
    const { client: http } = await serve({ ratePerMinute: 3 });
    const paths = ["/v2/models/m.copy/infer", "/v2/models/m%2Ecopy/infer", "/v2/models/m.copy/infer"];
    for (const path of paths) expect((await http.post(path, body)).status).toBe(200);
    for (const path of paths) {
      // A forwarding header must not make another client of this one.
      const answer = await http.post(path, body, {
        headers: { "content-type": "application/json", "x-forwarded-for": "1.2.3.4" },
      });
      expect(answer).toMatchObject({ status: 429, body: { code: "rate_limited", path: [] } });
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    }
  });
});

describe("a rate limit and probes", () => {
  const infer = "/v2/models/m.copy/infer";

  test("do not meet: health is answered above the limit, and uses up none of it on either way to infer", async () => {
    const { client: http, url } = await serve({ ratePerMinute: 2 });
    const probe = async () => {
      for (const path of ["/v2/health/live", "/v2/health/ready?verbose", "/metrics"]) {
        for (const method of ["GET", "HEAD"]) expect((await fetch(url + path, { method })).status, path).toBe(200);
      }
    };
    await probe();
    expect((await http.post(infer, body)).status).toBe(200);
    expect((await http.post("/v2/models/m%2Ecopy/infer", body)).status).toBe(200);
    expect((await http.post(infer, body)).status).toBe(429);
    expect((await http.post("/v2/models/m%2Ecopy/infer", body)).status).toBe(429);
    await probe();
    for (const path of ["/v2/health/other", "/v2/health", "/", "/docs"]) {
      expect((await fetch(url + path)).status, path).toBe(429);
    }
    expect((await http.post("/v2/health/live", "")).status, "no probe").toBe(429);
  });

  test("metrics that want a token are counted, so that nobody tries tokens without end", async () => {
    const { url } = await serve({ ratePerMinute: 2, tokens: { client } });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await fetch(`${url}/metrics`)).status);
    expect(statuses).toEqual([401, 401, 429]);
    expect((await fetch(`${url}/v2/health/live`)).status).toBe(200);
  });
});

describe("metrics", () => {
  test("tell events of the engine by model, outcome and dispatch reason, in seconds", async () => {
    const { url, engine } = await serve();
    const model = { model: "m.copy", version: "1" };
    engine.events.emit("request", { ...model, outcome: "success", rows: 3, queueMs: 2, computeMs: 5, totalMs: 8 });
    engine.events.emit("request", { ...model, outcome: "timeout", rows: 1, queueMs: 9, computeMs: 0, totalMs: 9 });
    engine.events.emit("batch", { ...model, requests: 2, rows: 3, padding: 1, reason: "delay", computeMs: 5 });
    await fetch(`${url}/v2/models/nobody`);
    const answer = await fetch(`${url}/metrics`);
    expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = (await answer.text()).split("\n");
    const labels = 'model="m.copy",version="1"';
    for (const line of [
      `cominfo_inference_requests_total{${labels},outcome="success"} 1`,
      `cominfo_inference_requests_total{${labels},outcome="timeout"} 1`,
      `cominfo_inference_rows_total{${labels}} 3`,
      `cominfo_inference_executions_total{${labels}} 1`,
      `cominfo_inference_padding_rows_total{${labels}} 1`,
      `cominfo_dispatch_total{${labels},reason="delay"} 1`,
      `cominfo_inference_batch_rows_sum{${labels}} 3`,
      `cominfo_inference_queue_seconds_sum{${labels}} 0.002`,
      `cominfo_inference_compute_seconds_sum{${labels}} 0.005`,
      `cominfo_inference_pending_requests{${labels}} 1`,
      `cominfo_model_ready{${labels}} 1`,
      "cominfo_ready 1",
      'cominfo_http_requests_total{method="GET",route="/v2/models/{model}",status="404"} 1',
    ]) {
      expect(lines).toContain(line);
    }
  });
});

describe("the log", () => {
  test("has a line for each request with its id, and nothing that a user sent", async () => {
    const lines: Record<string, unknown>[] = [];
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(JSON.parse(String(chunk)));
        done();
      },
    });
    const { client: http, url } = await serve({ logger: pino({ level: "debug" }, sink) });
    const secret = "do-not-log-me";
    await http.post(
      "/v2/models/m.copy/infer",
      { id: secret, ...body },
      {
        headers: { "content-type": "application/json", "x-request-id": "abc-1" },
      },
    );
    await fetch(`${url}/${secret}?q=${secret}`, {
      headers: { "user-agent": secret, authorization: `Bearer ${secret}` },
    });
    await http.post(`/v2/models/${secret}/infer`, { id: secret }, { headers: { "x-request-id": `${secret} !` } });
    while (lines.length < 3) await sleep(5);
    expect(JSON.stringify(lines)).not.toContain(secret);
    expect(lines[0]).toMatchObject({
      id: "abc-1",
      method: "POST",
      route: "/v2/models/{model}/infer",
      status: 200,
      level: 20,
    });
    expect(lines[1]).toMatchObject({ method: "GET", route: "none", status: 404, level: 30 });
    expect(Object.keys(lines[2]!).sort()).toEqual(
      ["hostname", "id", "level", "method", "milliseconds", "msg", "pid", "route", "status", "time"].sort(),
    );
    expect(lines[2]!.id).toMatch(/^[0-9a-f-]{36}$/);
  });
});

test.skipIf(process.platform !== "linux")("a log that cannot be written any more does not end the server", async () => {
  const entry = new URL("../../../serve/edge/read-flags.ts", import.meta.url).href;
  const script = `const { edgeOf } = await import(${JSON.stringify(entry)});
    const { logger } = await edgeOf({ logLevel: "info", estimates: "" });
    const says = (text) => new Promise((resolve) => setTimeout(() => resolve(logger.info(text)), 50));
    await says("refused by the disk");
    await says("this one too");
    console.log("still here");
    logger.info("at the end");`;
  const full = openSync("/dev/full", "w");
  const child = spawn(process.execPath, [...typescriptOptions.split(" "), "--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", full],
    timeout: 20_000, // it would try to write for ever
  });
  closeSync(full);
  let said = "";
  child.stdout!.on("data", (chunk: Buffer) => {
    said += chunk;
  });
  expect(await once(child, "close")).toEqual([0, null]);
  expect(said).toBe("still here\n");
});

describe("W3C trace context", () => {
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  const parent = "00f067aa0ba902b7";

  test("comes back with the caller's trace and a part of this server's own", async () => {
    const { url } = await serve();
    const headers = { traceparent: `00-${traceId}-${parent}-01` };
    const answer = await fetch(`${url}/v2/health/live`, { headers });
    expect(answer.headers.get("traceparent")).toMatch(new RegExp(`^00-${traceId}-(?!${parent})[0-9a-f]{16}-01$`));
    expect((await fetch(`${url}/v2/health/live`)).headers.get("traceparent")).toBeNull();
  });

  // As the specification's section 3.2 has it.
  test.each([
    [`00-${traceId}-${parent}-01`, true],
    [`00-${traceId}-${parent}-00`, true],
    [`cc-${traceId}-${parent}-01-what-the-future-will-be-like`, true],
    [`00-${traceId}-${parent}-01-extra`, false],
    [`ff-${traceId}-${parent}-01`, false],
    [`00-${"0".repeat(32)}-${parent}-01`, false],
    [`00-${traceId}-${"0".repeat(16)}-01`, false],
    [`00-${traceId.toUpperCase()}-${parent}-01`, false],
    [`00-${traceId}-${parent}`, false],
    ["", false],
    [undefined, false],
  ])("%s is taken: %s", (header, taken) => {
    expect(parseTraceparent(header) !== undefined).toBe(taken);
  });
});

describe("answers", () => {
  test("carry an id, forbid sniffing and framing, and do not name the software", async () => {
    const { url } = await serve();
    for (const path of ["/", "/v2/models/m.copy", "/nowhere"]) {
      const { headers } = await fetch(url + path);
      expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-security-policy")).toBe("default-src 'none';frame-ancestors 'none'");
      expect(headers.get("x-powered-by")).toBeNull();
    }
  });
});

describe("a server that stops", () => {
  test("refuses new work on both ways to infer, and still says what it is", async () => {
    const { client: http, engine } = await serve();
    engine.draining = true;
    for (const path of ["/v2/models/m.copy/infer", "/v2/models/m%2Ecopy/infer", "/v1/m/encode", "/v1/m/estimates"]) {
      const answer = await http.post(path, body);
      expect(answer, path).toMatchObject({ status: 503, body: { code: "stopping", path: [] } });
      expect(answer.headers.get("retry-after")).toBe("1");
      expect(answer.headers.get("x-request-id"), path).not.toBeNull();
    }
    expect(engine.asked).toEqual([]);
    for (const path of ["/", "/v2", "/v2/health/live", "/v2/models/m.copy"]) {
      expect((await http.get(path)).status, path).toBe(200);
    }
    expect((await http.post("/v2/repository/index", {})).status).toBe(200);
  });

  test("waits for exchanges that began before, and for no others", async () => {
    const exchanges = new Exchanges();
    const { url, client: http, engine } = await serve({ exchanges });
    expect(await exchanges.ended(0)).toBe(true);
    const { port } = new URL(url);
    const begun = connect(Number(port), "127.0.0.1");
    begun.write("POST /v2/models/m.copy/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n");
    while (await exchanges.ended(1)) await sleep(1); // until its head has come
    engine.draining = true;
    expect((await http.post("/v2/models/m.copy/infer", body)).status).toBe(503);
    const ended = exchanges.ended(60_000);
    begun.destroy();
    expect(await ended).toBe(true);
  });
});

/** Everything that comes back until the server closes. */
function talk(url: string, write: (send: (text: string) => void) => void): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let answer = "";
    socket.on("data", (chunk) => {
      answer += String(chunk);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answer));
    write((text) => socket.write(text));
  });
}

describe("connections", () => {
  test("that send a head slowly are closed with 408, and meanwhile others are answered", async () => {
    const { url, client: http } = await serve({}, { headMs: 200 });
    const slow = Array.from({ length: 20 }, () => talk(url, (send) => send("GET /v2 HTTP/1.1\r\nHost: x\r\nX-Slow: ")));
    expect((await http.get("/v2")).status).toBe(200);
    for (const answer of await Promise.all(slow)) {
      expect(answer).toMatch(/^HTTP\/1\.1 408 /);
      expect(JSON.parse(answer.split("\r\n\r\n")[1]!)).toMatchObject({ code: "bad_http", path: [] });
    }
  });

  test("that send a body slowly are closed as well, on both ways to infer", async () => {
    const { url } = await serve({}, { headMs: 100, requestMs: 300 });
    for (const name of ["m.copy", "m%2Ecopy"]) {
      const head = `POST /v2/models/${name}/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{`;
      expect(await talk(url, (send) => send(head))).toMatch(/^(HTTP\/1\.1 408 |$)/);
    }
  });

  test("with a head that is too large get 431, and with none of HTTP 400", async () => {
    const { url } = await serve();
    const large = await talk(url, (send) => send(`GET / HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(20_000)}\r\n\r\n`));
    expect(large).toMatch(/^HTTP\/1\.1 431 /);
    const noise = await talk(url, (send) => send("\u0001\u0002 not http\r\n\r\n"));
    expect(noise).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(noise.split("\r\n\r\n")[1]!)).toEqual({ error: expect.any(String), code: "bad_http", path: [] });
  });
});

describe("a head that HTTP wants refused", () => {
  const post = "POST /v2/models/m.copy/infer HTTP/1.1\r\n";
  // biome-ignore format: a table
  test.each([
    ["without Host", "GET /v2 HTTP/1.1\r\n", 400, "bad_http", "it must have the header Host, got none"],
    ["without Host, on the short way to infer", `${post}Content-Length: 2\r\n`, 400, "bad_http", "it must have the header Host"],
    ["without Host that expects 100-continue", `${post}Content-Length: 2\r\nExpect: 100-continue\r\n`, 400, "bad_http", "it must have the header Host"],
    ["that expects tea", "GET /v2 HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n", 417, "bad_expectation", 'must be 100-continue or left out, got "tea"'],
    ["that expects tea on the short way", `${post}Host: x\r\nContent-Length: 2\r\nExpect: tea\r\n`, 417, "bad_expectation", 'got "tea"'],
  ])("%s is answered with {error, code, path}, an id and a line in the metrics", async (_, head, status, code, error) => {
    const { url } = await serve();
    const answer = await talk(url, (send) => send(`${head}Connection: close\r\n\r\n${head.includes("Length") ? "{}" : ""}`));
    const [top, body] = answer.replace("HTTP/1.1 100 Continue\r\n\r\n", "").split("\r\n\r\n") as [string, string];
    expect(top).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(top).toMatch(/\r\nX-Request-Id: /);
    expect(top).toMatch(/\r\nConnection: close/);
    expect(JSON.parse(body)).toEqual({ error: expect.stringContaining(error), code, path: [] });
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(new RegExp(`status="${status}"\\} 1`));
  });

  test("is none in HTTP/1.0 without Host, and none that expects 100-continue", async () => {
    const { url } = await serve();
    expect(await talk(url, (send) => send("GET /v2 HTTP/1.0\r\n\r\n"))).toMatch(/^HTTP\/1\.1 200 /);
    const json = JSON.stringify(body);
    const head = `POST /v2/models/m.copy/infer HTTP/1.1\r\nHost: x\r\nContent-Length: ${json.length}\r\nConnection: close\r\n`;
    const answer = await talk(url, (send) => send(`${head}Expect: 100-Continue\r\n\r\n${json}`));
    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
  });
});

describe("TLS", () => {
  test("serves HTTPS with the certificate given, and says so in the commands of GET /", async () => {
    const { url } = await serve({ tls: true }, { tls: testCertificate });
    expect(url).toMatch(/^https:/);
    const text = await new Promise<string>((resolve, reject) => {
      httpsRequest(url, { ca: testCertificate.cert }, async (response) => {
        resolve(Buffer.concat(await response.toArray()).toString());
      })
        .on("error", reject)
        .end();
    });
    expect(JSON.parse(text).models[0].try[0]).toBe(`curl -s ${url}/v2/models/m.copy`);
  });

  test("is refused with one line when certificate and key are none", async () => {
    await expect(serve({}, { tls: { cert: "x", key: "y" } })).rejects.toThrow(
      /^Cannot serve: certificate and key must be PEM/,
    );
  });
});
