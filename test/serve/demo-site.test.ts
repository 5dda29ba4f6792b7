import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../serve/app.ts";
import { demoSite } from "../../serve/demo-site.ts";
import { listen } from "../../serve/listen.ts";
import { copyBundle, fakeEngine } from "./fake-engine.ts";

/** Who may have the files of the bundles: they are the model itself. */

const [client, operator] = ["client-token-0123456789", "operator-token-0123456789"];
const weights = "models/m/encode/1/model.onnx";

describe("the demo of a server with a token for clients", () => {
  let folder: string;
  const servers: Server[] = [];
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "cominfo-demo-site-"));
    const files = {
      "models/m/manifest.json": "{}",
      "one (1)/a+b/manifest.json": "{}",
      [weights]: "weights",
      "site/index.html": "<!doctype html>page",
      "site/assets/main.js": "// script",
      "site/training/quickstart/training.json": "{}",
    };
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.join(folder, path.dirname(name)), { recursive: true });
      writeFileSync(path.join(folder, name), text);
    }
  });
  afterAll(() => {
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true });
  });

  async function serve(tokens: { client?: string; operator?: string }, repository = "models"): Promise<string> {
    const demo = demoSite({ repository: path.join(folder, repository), tokens, site: path.join(folder, "site") });
    const app = createApp({ engine: fakeEngine([]), bodyLimit: 1 << 16, tokens, demo });
    const { server, url } = await listen(app, { host: "127.0.0.1", port: 0 });
    servers.push(server);
    return url;
  }

  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

  test("no file of a bundle is given without it, however its address is written, and all with it", async () => {
    for (const [url, address] of [
      [await serve({ client, operator }), "models/m"],
      [await serve({ client, operator }, "models/m"), "models/m"], // a bundle alone
    ]) {
      for (const file of [
        `${address}/manifest.json`,
        `${address}/encode/1/model.onnx`,
        "MODELS/m/manifest.json",
        "models//m/manifest.json",
        "/models/m/manifest.json",
        "%6dodels/m/manifest.json",
        "assets/..%2f..%2fmodels/m/manifest.json",
        "training/..%2f..%2fmodels/m/manifest.json",
      ]) {
        const response = await fetch(`${url}/${file}`);
        expect([401, 403, 404], file).toContain(response.status);
        expect(await response.text(), file).not.toMatch(/^(weights|\{\})$/);
      }
      const refused = await fetch(`${url}/${weights}`, bearer("another-token-0123456789"));
      expect(refused.status).toBe(401);
      expect(refused.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
      expect(await refused.json()).toMatchObject({ code: "unauthorized" });
      for (const token of [client, operator]) {
        expect(await (await fetch(`${url}/${weights}`, bearer(token))).text()).toBe("weights");
      }
    }
  });

  test("names of bundles are kept back as well; the page, its scripts and its training are open", async () => {
    const url = await serve({ client });
    const list = `${url}/models.json`;
    const training = ["training/quickstart"];
    expect(await (await fetch(list)).json()).toEqual({ models: [], training, locked: true });
    expect(await (await fetch(list, bearer(client))).json()).toEqual({ models: ["models/m"], training });
    expect((await fetch(`${url}/`, { headers: { accept: "text/html" } })).status).toBe(200);
    for (const file of ["assets/main.js", "training/quickstart/training.json"]) {
      expect((await fetch(`${url}/${file}`)).status, file).toBe(200);
    }
  });

  test("without one, or with one for operators alone, everything is open, as the routes are", async () => {
    for (const tokens of [{}, { operator }]) {
      const url = await serve(tokens);
      expect(await (await fetch(`${url}/models.json`)).json()).toMatchObject({ models: ["models/m"] });
      expect(await (await fetch(`${url}/${weights}`)).text()).toBe("weights");
    }
  });

  test("a bundle alone may have any name", async () => {
    const url = await serve({}, "one (1)/a+b");
    expect(await (await fetch(`${url}/models.json`)).json()).toMatchObject({ models: ["models/a+b"] });
    expect(await (await fetch(`${url}/models/a+b/manifest.json`)).text()).toBe("{}");
  });

  test("a script says what the worker made of it may do, and is counted and numbered like every answer", async () => {
    const url = await serve({});
    const script = await fetch(`${url}/assets/main.js`);
    expect(script.headers.get("content-security-policy")).toContain("script-src 'self' 'wasm-unsafe-eval'");
    expect(script.headers.get("x-request-id")).toMatch(/^[\w-]{36}$/);
    await fetch(`${url}/assets/other.js`);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('cominfo_http_requests_total{method="GET",route="/assets/*file",status="200"} 1');
    expect(metrics).toContain('cominfo_http_requests_total{method="GET",route="/assets/*file",status="404"} 1');
  });
});

test("infer passes no route of the demo: Express costs more than all else this process does for it", async () => {
  const passed: string[] = [];
  const engine = fakeEngine([copyBundle]);
  const app = createApp({
    engine,
    bodyLimit: 1 << 16,
    demo: (request, _response, next) => {
      passed.push(request.url);
      next();
    },
  });
  const { server, url } = await listen(app, { host: "127.0.0.1", port: 0 });
  const body = JSON.stringify({ inputs: [{ name: "x", shape: [1], datatype: "FP32", data: [1] }] });
  const headers = { "content-type": "application/json" };
  expect((await fetch(`${url}/v2/models/m.copy/infer`, { method: "POST", headers, body })).status).toBe(200);
  expect((await fetch(`${url}/v2`)).status).toBe(200);
  expect(passed).toEqual(["/v2"]);
  server.close();
});
