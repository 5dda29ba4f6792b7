import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withDemoSite } from "../../serve/demo-site.ts";
import { listen } from "../../serve/listen.ts";

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
    const app = withDemoSite((_request, response) => response.writeHead(404).end("app"), {
      repository: path.join(folder, repository),
      tokens,
      site: path.join(folder, "site"),
    });
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
});
