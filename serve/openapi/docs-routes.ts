import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import type { Route } from "../http/route.ts";
import { HttpError } from "../http-error.ts";
import { openApiDocument } from "./document.ts";

/** What a page of Swagger UI needs: its own files, styles that it writes itself, pictures inside its style sheet. */
export const docsPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>cominfo: routes</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="routes"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const start = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#routes",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null, // nothing leaves this machine
});
`;

const folder = path.dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

/** By name, never by a path that a client wrote. */
const files: Readonly<Record<string, { readonly type: string; readonly read: () => Promise<string | Buffer> }>> = {
  "start.js": { type: "text/javascript", read: async () => start },
  "swagger-ui-bundle.js": {
    type: "text/javascript",
    read: () => readFile(path.join(folder, "swagger-ui-bundle.js")),
  },
  "swagger-ui.css": { type: "text/css", read: () => readFile(path.join(folder, "swagger-ui.css")) },
  "favicon-32x32.png": { type: "image/png", read: () => readFile(path.join(folder, "favicon-32x32.png")) },
};

/** The OpenAPI document of `routes` and a page to read it; both are among the routes they describe. */
export function docsRoutes(routes: () => readonly Route[], { version }: { version: string }): Route[] {
  let document: string | undefined;
  return [
    {
      method: "GET",
      path: "/openapi.json",
      group: "operation",
      access: "open",
      summary: "This document",
      answers: { 200: { description: "OpenAPI 3.1" } },
      handle: (_request, response) => {
        document ??= JSON.stringify(openApiDocument(routes(), { version }));
        response.type("json").send(document);
      },
    },
    {
      method: "GET",
      path: "/docs",
      group: "operation",
      access: "open",
      summary: "This document as a page",
      answers: { 200: { description: "HTML" } },
      handle: (_request, response) => {
        response.set("Content-Security-Policy", docsPolicy).type("html").send(page);
      },
    },
    {
      method: "GET",
      path: "/docs/{file}",
      group: "operation",
      access: "open",
      summary: "Script and style of the page",
      answers: { 200: { description: "The file" } },
      handle: async (request, response) => {
        const name = String(request.params.file);
        const file = Object.hasOwn(files, name) ? files[name] : undefined;
        if (file === undefined) {
          const known = Object.keys(files).join(", ");
          throw new HttpError(`Cannot find file: it must be one of ${known}`, { status: 404, code: "no_route" });
        }
        response
          .type(file.type)
          .set("Cache-Control", "public, max-age=3600")
          .send(await file.read());
      },
    },
  ];
}
