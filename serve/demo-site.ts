import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import express, { type Request, type Response, type Router } from "express";
import { type Tokens, tokenGuard } from "./edge/tokens.ts";

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
 * The demo's routes, for the Express side of the app: what every request passes (ids, log, metrics, rate) it passes, and
 * `infer` does not pass it. `GET /` is the page for those who ask for HTML, which browsers do; curl and all other
 * requests go on to the next route. Without a built page (`npm run demo:build`) everything does.
 *
 * The page is open to all, as it holds nothing of the models. Names and files of bundles want the client's token where
 * there is one: who has the files has the model. The page asks its visitor for it (web-demo/token.ts).
 *
 * @param repository a bundle, or a folder of bundles; read anew for each visitor
 */
export function demoSite({
  repository,
  tokens = {},
  site = packagedSite(),
}: {
  readonly repository: string;
  readonly tokens?: Tokens;
  readonly site?: string;
}): Router {
  const front = express.Router();
  if (!existsSync(path.join(site, "index.html"))) return front;
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
function serveFiles(front: Router, at: string, folder: string, only?: readonly string[]): void {
  const literal = at.replaceAll(/[{}()[\]+?!:*\\]/g, "\\$&"); // a folder may be called anything
  front.get(`${literal}/*file`, (request, response, next) => {
    const file = (request.params as unknown as { file: string[] }).file.join("/");
    if (only?.includes(path.extname(file)) === false) return next();
    // A worker's script says what the worker may do.
    const headers = { "Content-Security-Policy": policy };
    response.sendFile(file, { root: path.resolve(folder), dotfiles: "ignore", headers }, (error) => {
      if (error !== undefined && !response.headersSent) next();
    });
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
