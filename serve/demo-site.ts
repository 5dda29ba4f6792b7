import { existsSync, readdirSync } from "node:fs";
import type { RequestListener } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import express, { type Express, type Request, type Response } from "express";
import { type Tokens, tokenGuard } from "./edge/tokens.ts";
import { answerError } from "./http-error.ts";

/** The browser demo at `/`: the built page, ONNX Runtime Web for it, and the bundles that are served. */

/** What the page may do: its own scripts and files, WebAssembly, and nothing from elsewhere. */
const policy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The packages by their names: the way from dist/ differs from the way from the sources. */
const require = createRequire(import.meta.url);
const packagedSite = (): string => path.join(path.dirname(require.resolve("cominfo/package.json")), "web-demo", "dist");
const runtimeFolder = (): string => path.dirname(require.resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm"));

/**
 * Puts the demo before `app`. `GET /` is the page for those who ask for HTML, which browsers do; curl and all other
 * requests go on to `app`. Without a built page (`npm run demo:build`) everything does.
 *
 * The page is open to all, as it holds nothing of the models. Names and files of bundles want the client's token where
 * there is one: who has the files has the model. The page asks its visitor for it (web-demo/token.ts).
 *
 * @param repository a bundle, or a folder of bundles; read anew for each visitor
 */
export function withDemoSite(
  app: RequestListener,
  { repository, tokens = {}, site = packagedSite() }: { repository: string; tokens?: Tokens; site?: string },
): RequestListener {
  if (!existsSync(path.join(site, "index.html"))) return app;
  const front = express();
  front.disable("x-powered-by");
  front.get("/", (request, response, next) => {
    if (!asksForHtml(request)) return next();
    response.set("Content-Security-Policy", policy).set("Cache-Control", "no-cache");
    response.sendFile("index.html", { root: site });
  });
  const guard = tokenGuard("token", tokens);
  front.get("/models.json", (request, response) => {
    guard(request, response, (refused) => answerCatalogue(response, { locked: refused !== undefined }));
  });
  serveFiles(front, "/assets", path.join(site, "assets"));
  serveFiles(front, "/training", path.join(site, "training"));
  serveFiles(front, "/ort", runtimeFolder(), [".wasm"]);
  const isBundle = existsSync(path.join(repository, "manifest.json"));
  front.use("/models", guard);
  serveFiles(front, isBundle ? `/models/${nameOf(repository)}` : "/models", repository);
  front.use((request, response) => app(request, response));
  front.use(answerError);
  return front;

  function answerCatalogue(response: Response, { locked }: { locked: boolean }): void {
    response.set("Cache-Control", "no-cache").json({
      models: locked ? [] : bundlesIn(repository).map((name) => `models/${name}`),
      training: foldersWith(path.join(site, "training"), "training.json").map((name) => `training/${name}`),
      ...(locked ? { locked } : {}),
    });
  }
}

/** Files that are there; for others the request goes on. Hidden files and ways out of the folder count as not there. */
function serveFiles(front: Express, at: string, folder: string, only?: readonly string[]): void {
  const files = express.static(folder, { index: false, redirect: false, dotfiles: "ignore" });
  front.use(at, (request, response, next) => {
    if (only?.includes(path.extname(request.path)) === false) return next();
    return files(request, response, next);
  });
}

function bundlesIn(repository: string): string[] {
  return existsSync(path.join(repository, "manifest.json"))
    ? [nameOf(repository)]
    : foldersWith(repository, "manifest.json");
}

function foldersWith(parent: string, file: string): string[] {
  if (!existsSync(parent)) return [];
  return readdirSync(parent)
    .filter((name) => !name.startsWith(".") && existsSync(path.join(parent, name, file)))
    .sort();
}

const nameOf = (folder: string): string => path.basename(path.resolve(folder));

/** Browsers name text/html; curl says that it takes anything. */
const asksForHtml = (request: Request): boolean => request.headers.accept?.includes("text/html") ?? false;
