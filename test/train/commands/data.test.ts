import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, expect, test } from "vitest";
import { FailureError, UsageError } from "../../../schemas/errors.ts";
import { addDataCommand } from "../../../train/commands/data.ts";
import { catalogue, type PublicDataset } from "../../../train/data/catalogue.ts";

const contents = { "a.gz": Buffer.from("the first file"), "b.gz": Buffer.alloc(300_000, "second") };
const servers: Server[] = [];
const folders: string[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  folders.push(mkdtempSync(join(tmpdir(), "cominfo-data-")));
  return folders.at(-1)!;
}

/** A mirror on this machine; `asked` collects the paths. */
async function mirror(listener: RequestListener): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url!);
    listener(request, response);
  });
  servers.push(server);
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/set/`, asked };
}

const contentOf = (path: string): Buffer => contents[path.replace("/set/", "") as keyof typeof contents];
const honest: RequestListener = (request, response) => response.end(contentOf(request.url!));

function dataset(mirrors: readonly string[]): PublicDataset {
  const files = Object.entries(contents).map(([name, bytes]) => ({
    name,
    bytes: bytes.length,
    md5: createHash("md5").update(bytes).digest("hex"),
  }));
  return { name: "toy-set", title: "Two files", licence: "none", mirrors, files };
}

async function cominfo(mirrors: readonly string[], ...words: string[]): Promise<string[]> {
  const printed: string[] = [];
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addDataCommand(program, { catalogue: [dataset(mirrors)], print: (line) => printed.push(line) });
  await program.parseAsync(["data", ...words], { from: "user" });
  return printed;
}

test("every file is fetched, checked and named", async () => {
  const { url, asked } = await mirror(honest);
  const folder = join(newFolder(), "new", "folder");
  expect(await cominfo([url], "toy-set", "--out", folder)).toEqual([
    "a.gz: fetched",
    "b.gz: fetched",
    `toy-set is complete in ${folder}`,
  ]);
  expect(asked).toEqual(["/set/a.gz", "/set/b.gz"]);
  expect(readdirSync(folder)).toEqual(["a.gz", "b.gz"]);
  expect(readFileSync(join(folder, "a.gz"))).toEqual(contents["a.gz"]);
  expect(readFileSync(join(folder, "b.gz"))).toEqual(contents["b.gz"]);
});

test("good files are kept without asking anyone, bad ones are replaced", async () => {
  const { url, asked } = await mirror(honest);
  const folder = newFolder();
  writeFileSync(join(folder, "a.gz"), contents["a.gz"]);
  writeFileSync(join(folder, "b.gz"), "half a file");
  const { mtimeMs } = statSync(join(folder, "a.gz"));
  expect((await cominfo([url], "toy-set", "--out", folder)).slice(0, 2)).toEqual(["a.gz: kept", "b.gz: replaced"]);
  expect(asked).toEqual(["/set/b.gz"]);
  expect(statSync(join(folder, "a.gz")).mtimeMs).toBe(mtimeMs);
  expect(readFileSync(join(folder, "b.gz"))).toEqual(contents["b.gz"]);
});

const faults: [string, RequestListener, RegExp][] = [
  ["is missing", (_, response) => response.writeHead(404).end(), /status 404/],
  ["has other bytes of the same number", (_, response) => response.end("THE first file"), /md5 [0-9a-f]{32}/],
  ["is too short", (_, response) => response.end("short"), /5 of 14 bytes/],
  ["is too long", (_, response) => response.end(Buffer.alloc(1_000_000)), /more than 14 bytes/],
  [
    "breaks off",
    (_, response) => {
      response.writeHead(200, { "content-length": 14 });
      response.write("the", () => response.destroy());
    },
    /closed|terminated|other side/,
  ],
];

test.each(faults)("where a mirror's file %s, the next mirror is asked", async (_, broken) => {
  const [first, second] = [await mirror(broken), await mirror(honest)];
  const folder = newFolder();
  await cominfo([first.url, second.url], "toy-set", "--out", folder);
  expect(readFileSync(join(folder, "a.gz"))).toEqual(contents["a.gz"]);
  expect(second.asked).toContain("/set/a.gz");
  expect(readdirSync(folder)).toEqual(["a.gz", "b.gz"]);
});

test.each(faults)("where the only mirror's file %s, the fault is told and nothing is left", async (_, broken, said) => {
  const { url } = await mirror(broken);
  const folder = newFolder();
  const failure = await cominfo([url], "toy-set", "--out", folder).catch((error: unknown) => error as Error);
  expect(failure).toBeInstanceOf(FailureError);
  expect((failure as Error).message).toMatch(said);
  expect((failure as Error).message).toContain(url);
  expect((failure as Error).message).not.toContain("\n");
  expect(readdirSync(folder)).toEqual([]);
});

test("a file that was there survives a failed replacement", async () => {
  const { url } = await mirror((_, response) => response.writeHead(500).end());
  const folder = newFolder();
  writeFileSync(join(folder, "a.gz"), "half a file");
  await expect(cominfo([url], "toy-set", "--out", folder)).rejects.toThrow("status 500");
  expect(readFileSync(join(folder, "a.gz"), "utf8")).toBe("half a file");
});

test("without a network the error says so and what to do", async () => {
  const { url } = await mirror(honest);
  const closed = servers.pop()!;
  await new Promise((done) => closed.close(done));
  await expect(cominfo([url], "toy-set", "--out", newFolder())).rejects.toThrow(/ECONNREFUSED.*check the network/);
});

test("a wrong name, a missing name and a missing folder are the caller's faults", async () => {
  await expect(cominfo([], "toyset", "--out", "x")).rejects.toThrow(
    'Cannot fetch data: the name must be one of toy-set, got "toyset", did you mean "toy-set"?',
  );
  await expect(cominfo([])).rejects.toThrow("the name must be one of toy-set, got none");
  await expect(cominfo([], "toy-set")).rejects.toThrow("--out must name a folder, got nothing");
  await expect(cominfo([], "toyset", "--out", "x")).rejects.toBeInstanceOf(UsageError);
});

test("a folder that cannot be made, and a folder in a file's place, are refused", async () => {
  const folder = newFolder();
  writeFileSync(join(folder, "taken"), "");
  await expect(cominfo([], "toy-set", "--out", join(folder, "taken"))).rejects.toThrow(
    "must be a folder or a new name",
  );
  mkdirSync(join(folder, "a.gz"));
  await expect(cominfo([], "toy-set", "--out", folder)).rejects.toThrow("must be a file, got a folder");
});

test("--list names the sets and their files", async () => {
  const printed = await cominfo([], "--list");
  expect(printed[0]).toBe("toy-set: Two files; 0.3 MB; licence none");
  expect(printed.slice(1).map((line) => line.trim().split(" ")[0])).toEqual(["a.gz", "b.gz"]);
});

test("the catalogue is well formed: names once, md5 sums, https folders", () => {
  expect(new Set(catalogue.map(({ name }) => name)).size).toBe(catalogue.length);
  for (const { mirrors, files } of catalogue) {
    expect(mirrors.length).toBeGreaterThan(0);
    for (const mirror of mirrors) expect(mirror).toMatch(/^https:\/\/.*\/$/);
    for (const { name, md5, bytes } of files) {
      expect(name).toMatch(/^[\w.-]+$/);
      expect(md5).toMatch(/^[0-9a-f]{32}$/);
      expect(bytes).toBeGreaterThan(0);
    }
  }
});
