import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = new URL("../../", import.meta.url);

/** Every file of ours and every package that `entries` reach, by static and dynamic imports. */
function reach(entries: readonly string[]): { files: string[]; packages: string[] } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (url: URL): void => {
    if (files.has(url.href)) return;
    files.add(url.href);
    const source = readFileSync(url, "utf8");
    for (const [, name] of source.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*"([^"]+)"/g)) {
      if (name!.startsWith(".")) visit(new URL(name!, url));
      else packages.add(name!);
    }
  };
  for (const entry of entries) visit(new URL(entry, root));
  return {
    files: [...files].map((href) => fileURLToPath(href).slice(fileURLToPath(root).length)),
    packages: [...packages],
  };
}

test("the server reaches schemas, information, files and runtime, and neither tfjs, train nor export", () => {
  const { files, packages } = reach(["serve/public.ts", "serve/command.ts", "serve/engine/worker-main.ts"]);
  expect(files).toContain("serve/app.ts");
  expect(files).toContain("runtime/create-session.ts");
  expect(files.filter((file) => !/^(serve|schemas|information|files|runtime)\//.test(file))).toEqual([]);
  expect(packages).toContain("express");
  expect(packages.filter((name) => name.includes("tensorflow"))).toEqual([]);
});

test("the HTTP process does not load ONNX Runtime: only the worker's entry does", () => {
  const http = reach(["serve/run-server.ts"]);
  expect(http.files).not.toContain("serve/engine/worker-main.ts");
  expect(http.files).not.toContain("runtime/create-session.ts");
});
