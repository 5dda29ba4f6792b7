import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** Dependencies point one way, as the table in docs/architecture.md says. */

const root = fileURLToPath(new URL("..", import.meta.url));

/** Rooms that a room may import, itself left out. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  schemas: [],
  information: [],
  files: ["schemas"],
  runtime: ["schemas"],
  export: ["schemas", "files", "runtime"],
  train: ["schemas", "information", "files", "runtime", "export"],
  serve: ["schemas", "information", "files", "runtime"],
  "web-demo": ["schemas", "information"],
};

/** Outer rooms: programs that put the others together. */
const outer = ["bench"];

interface SourceFile {
  /** Relative to the root, with `/`. */
  readonly file: string;
  readonly room: string;
  /** Names as they are written. */
  readonly imports: readonly string[];
}

function sourcesIn(room: string): SourceFile[] {
  return readdirSync(path.join(root, room), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => {
      const full = path.join(entry.parentPath, entry.name);
      return {
        file: path.relative(root, full).replaceAll(path.sep, "/"),
        room,
        imports: importsOf(readFileSync(full, "utf8")),
      };
    });
}

/** Static, dynamic and type imports, and re-exports. */
function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const patterns = [
    /^\s*(?:import|export)\s[^;"']*?from\s*["']([^"']+)["']/gm,
    /^\s*import\s*["']([^"']+)["']/gm,
    /\bimport\(\s*["']([^"']+)["']\s*\)/g,
  ];
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1]!));
}

const resolved = ({ file }: SourceFile, name: string): string => path.posix.join(path.posix.dirname(file), name);
const isOurs = (name: string): boolean => name.startsWith(".");
const sources = Object.keys(mayImport).flatMap(sourcesIn);

test("imports are found in every form", () => {
  const text = `import "a";\nimport b from "b";\nimport {\n  c,\n} from "c";\nimport type { D } from './d.ts';\nexport { e } from "e";\nexport * from "f";\nconst g = await import("g");\ntype H = typeof import("h");\n// import "no";\n/* import "no" */`;
  expect(importsOf(text).sort()).toEqual(["./d.ts", "a", "b", "c", "e", "f", "g", "h"]);
  for (const room of Object.keys(mayImport)) {
    expect(sources.filter((source) => source.room === room).length, room).toBeGreaterThan(0);
  }
});

test("a room imports only the rooms that the table allows", () => {
  const faults = sources.flatMap((source) =>
    source.imports
      .filter(isOurs)
      .map((name) => resolved(source, name))
      .filter((target) => {
        const room = target.split("/")[0]!;
        return room !== source.room && !mayImport[source.room]!.includes(room);
      })
      .map((target) => `${source.file} imports ${target}`),
  );
  expect(faults).toEqual([]);
});

test("imports name files that exist, with their extension", () => {
  const known = new Set(sources.map(({ file }) => file));
  const faults = sources.flatMap((source) =>
    source.imports
      .filter(isOurs)
      .map((name) => resolved(source, name))
      .filter((target) => !known.has(target))
      .map((target) => `${source.file} imports ${target}`),
  );
  expect(faults).toEqual([]);
});

/** The files of one circle of imports, in order; undefined where there is none. */
function circleIn(files: readonly SourceFile[]): string[] | undefined {
  const byFile = new Map(files.map((source) => [source.file, source]));
  const done = new Set<string>();
  const walk = (file: string, above: readonly string[]): string[] | undefined => {
    const place = above.indexOf(file);
    if (place >= 0) return [...above.slice(place), file];
    if (done.has(file)) return undefined;
    const source = byFile.get(file);
    for (const name of source?.imports.filter(isOurs) ?? []) {
      const circle = walk(resolved(source!, name), [...above, file]);
      if (circle !== undefined) return circle;
    }
    done.add(file);
    return undefined;
  };
  for (const { file } of files) {
    const circle = walk(file, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

test("no files import each other in a circle, not for types either", () => {
  expect(circleIn(sources)).toBeUndefined();
  const [a, b, c] = ["x/a.ts", "x/b.ts", "x/c.ts"];
  const file = (name: string, ...imports: string[]): SourceFile => ({ file: name, room: "x", imports });
  expect(circleIn([file(a!, "./b.ts"), file(b!, "./c.ts"), file(c!, "./b.ts")])).toEqual([b, c, b]);
});

test("there is no index.ts, and nothing inside imports a public.ts", () => {
  const all = [...sources, ...outer.flatMap((room) => (readdirSync(root).includes(room) ? sourcesIn(room) : []))];
  expect(all.filter(({ file }) => path.basename(file) === "index.ts")).toEqual([]);
  const faults = all.filter(({ imports }) => imports.some((name) => /(^|\/)public\.ts$/.test(name)));
  expect(faults.map(({ file }) => file)).toEqual([]);
});

/** Every file that `start` reaches, and packages by name. */
function reach(start: readonly SourceFile[]): Map<string, string> {
  const byFile = new Map(sources.map((source) => [source.file, source]));
  const from = new Map<string, string>();
  const queue = [...start];
  for (let source = queue.pop(); source !== undefined; source = queue.pop()) {
    for (const name of source.imports) {
      const target = isOurs(name) ? resolved(source, name) : name;
      if (from.has(target)) continue;
      from.set(target, source.file);
      const next = byFile.get(target);
      if (next !== undefined) queue.push(next);
    }
  }
  return from;
}

test("serve, files, runtime, schemas and information never reach tfjs", () => {
  for (const room of ["serve", "files", "runtime", "schemas", "information"]) {
    const reached = reach(sources.filter((source) => source.room === room));
    const tfjs = [...reached].filter(([target]) => target.startsWith("@tensorflow/"));
    expect(tfjs, room).toEqual([]);
  }
  const compiler = reach(sources.filter((source) => source.room === "export"));
  expect([...compiler.keys()]).toContain("@tensorflow/tfjs-core"); // the walk does find it where it is
});

test("information, schemas and the demo use nothing of Node: they run in a browser", () => {
  const builtin = new Set(builtinModules);
  for (const room of ["information", "schemas", "web-demo"]) {
    const reached = reach(sources.filter((source) => source.room === room));
    const node = [...reached.keys()].filter((target) => target.startsWith("node:") || builtin.has(target));
    expect(node, room).toEqual([]);
  }
});

test("packages that the sources import are dependencies of the package", () => {
  const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
    peerDependenciesMeta?: Record<string, { optional?: boolean }>;
  };
  const declared = new Set([
    ...Object.keys(manifest.dependencies),
    ...Object.keys(manifest.peerDependenciesMeta ?? {}),
    "cominfo",
  ]);
  const faults = sources.flatMap((source) =>
    source.imports
      .filter((name) => !isOurs(name) && !name.startsWith("node:"))
      .map((name) =>
        name
          .split("/")
          .slice(0, name.startsWith("@") ? 2 : 1)
          .join("/"),
      )
      .filter((name) => !declared.has(name))
      .map((name) => `${source.file} imports ${name}`),
  );
  expect(faults).toEqual([]);
});
