import { availableParallelism } from "node:os";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createEngine } from "../../../serve/engine/engine.ts";
import { batchingOf, bundleOf, checkConfig, unusedOptions } from "../../../serve/engine/options.ts";
import { configOf, pollMsOf } from "../../../serve/engine/read-flags.ts";
import { bucketOf } from "../../../serve/engine/rows.ts";
import { servedVersions } from "../../../serve/engine/version-policy.ts";

const folder = mkdtempSync(path.join(tmpdir(), "cominfo-options-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("options", () => {
  test("of a model stand over those of all models, and these over the defaults", () => {
    const config = checkConfig(
      { maxBatchRows: 16, maxDelayMs: 3, models: { "digits.encode": { maxBatchRows: 4 } } },
      "test",
    );
    expect(batchingOf(config, "digits.encode")).toMatchObject({ maxBatchRows: 4, maxDelayMs: 3, maxQueue: 1024 });
    expect(batchingOf(config, "digits.decode")).toMatchObject({ maxBatchRows: 16 });
    expect(batchingOf(config, "constructor")).toMatchObject({ maxBatchRows: 16 });
  });

  test("workers are two where the cores allow it, and one beside a GPU or with as many threads as cores", () => {
    const cores = availableParallelism();
    const instances = Math.min(2, cores);
    expect(bundleOf({}, "digits")).toMatchObject({ instances, threads: Math.floor(cores / instances), device: "cpu" });
    expect(bundleOf({ threads: cores }, "digits")).toMatchObject({ instances: 1, threads: cores });
    expect(bundleOf({ device: "webgpu" }, "digits")).toMatchObject({ instances: 1, threads: cores });
    expect(bundleOf({ device: "auto" }, "digits").instances, "which may be a GPU").toBe(1);
  });

  test("threads are the cores, shared out among the instances, unless they are given", () => {
    expect(bundleOf({ instances: 1000 }, "digits").threads).toBe(1);
    expect(bundleOf({ instances: 1 }, "digits").threads).toBe(availableParallelism());
    const config = checkConfig({ threads: 3, bundles: { digits: { instances: 2, device: "auto" } } }, "test");
    expect(bundleOf(config, "digits")).toMatchObject({ instances: 2, threads: 3, device: "auto" });
  });

  test("that nobody knows or that contradict each other are refused by name", () => {
    expect(() => checkConfig({ maxBatchRow: 4 }, "read")).toThrow(
      'Cannot read: unknown key "maxBatchRow", did you mean "maxBatchRows"?',
    );
    expect(() => checkConfig({ models: { a: { device: "cpu" } } }, "read")).toThrow('unknown key "models.a.device"');
    expect(() => checkConfig({ models: { a: { priorityLevels: 1 } } }, "read")).toThrow(
      'Cannot read: defaultPriority of "a" must be at most priorityLevels, 1, got 2',
    );
  });

  test("prefer no batch that is larger than the largest, for all models and for each", () => {
    expect(() => checkConfig({ preferredBatchRows: [8, 65] }, "read")).toThrow(
      "Cannot read: preferredBatchRows must be at most maxBatchRows, 64, got 65",
    );
    const models = { a: { maxBatchRows: 16 } };
    expect(() => checkConfig({ preferredBatchRows: [32], models }, "read")).toThrow(
      'Cannot read: preferredBatchRows of "a" must be at most maxBatchRows, 16, got 32',
    );
    expect(() => checkConfig({ preferredBatchRows: [64] }, "read")).not.toThrow();
  });

  test("are refused by the engine as well, whoever gives them", async () => {
    const config = { maxBatchRows: 4, preferredBatchRows: [8] };
    await expect(createEngine({ repository: "models", config })).rejects.toThrow(
      "Cannot serve: preferredBatchRows must be at most maxBatchRows, 4, got 8",
    );
  });

  test("of names that are nothing's are told, each with the nearest, but not those of a bundle that cannot be read", () => {
    const config = {
      bundles: { digits: {}, digit: {}, torn: {}, constructor: {} },
      models: { "digits.encode": {}, "digits.encod": {}, encode: {}, "torn.encode": {} },
    };
    expect(unusedOptions(config, { bundles: ["digits"], models: ["digits.encode"], unread: ["torn"] })).toEqual([
      'Not used: options of bundle "digit". It is not in the repository now, did you mean "digits"?',
      'Not used: options of bundle "constructor". It is not in the repository now',
      'Not used: options of model "digits.encod". It is not in the repository now, did you mean "digits.encode"?',
      'Not used: options of model "encode". It is not in the repository now, did you mean "digits.encode"?',
    ]);
    expect(unusedOptions({}, { bundles: [], models: [], unread: [] })).toEqual([]);
  });
});

describe("flags", () => {
  test("stand over the file", () => {
    const file = path.join(folder, "serve.json");
    writeFileSync(file, JSON.stringify({ maxBatchRows: 8, timeoutMs: 5, versions: "all" }));
    const flags = { config: file, maxBatch: "2", batchDelay: "1.5", poll: "0" };
    expect(configOf(flags)).toEqual({ maxBatchRows: 2, maxDelayMs: 1.5, timeoutMs: 5, versions: "all" });
  });

  test("and a file that contradict each other are refused, and a flag may mend what the file says", () => {
    const file = path.join(folder, "large.json");
    writeFileSync(file, JSON.stringify({ preferredBatchRows: [128] }));
    expect(() => configOf({ config: file, poll: "0" })).toThrow("must be at most maxBatchRows, 64, got 128");
    expect(configOf({ config: file, maxBatch: "128", poll: "0" }).maxBatchRows).toBe(128);
  });

  test.each([
    ["1", { latest: 1 }],
    ["12", { latest: 12 }],
    ["all", "all"],
    ["v3,v12", { specific: ["3", "12"] }],
  ])("--versions %s", (versions, policy) => {
    expect(configOf({ versions, poll: "0" }).versions).toEqual(policy);
  });

  test.each([
    [{ versions: "v0" }, "--versions must be all, a number, or names like v3,v5"],
    [{ maxBatch: "many" }, '--max-batch must be a number from 0, got "many"'],
    [{ maxBatch: "0" }, '"maxBatchRows" must be >= 1, got 0'],
    [{ config: "nowhere.json" }, 'Cannot read configuration "nowhere.json"'],
  ])("%o is refused", (flags, message) => {
    expect(() => configOf({ poll: "0", ...flags })).toThrow(message);
  });

  test("--poll is in seconds, and not so short that it hinders", () => {
    expect(pollMsOf({ poll: "2.5" })).toBe(2500);
    expect(() => pollMsOf({ poll: "0.01" })).toThrow("--poll must be 0 or from 0.1");
  });
});

describe("servedVersions()", () => {
  const versions = ["2", "10", "9"].map((version) => ({ version }));
  const names = (policy: Parameters<typeof servedVersions>[1]): string[] =>
    servedVersions(versions, policy).map(({ version }) => version);

  test("orders versions as numbers, and keeps the latest n, all, or those named", () => {
    expect(names("all")).toEqual(["2", "9", "10"]);
    expect(names({ latest: 2 })).toEqual(["9", "10"]);
    expect(names({ latest: 7 })).toEqual(["2", "9", "10"]);
    expect(names({ specific: ["9", "3"] })).toEqual(["9"]);
  });
});

test("bucketOf() is the smallest bucket that holds the rows, or the rows themselves", () => {
  expect([1, 2, 3, 5, 9].map((rows) => bucketOf(rows, [8, 1, 4]))).toEqual([1, 4, 4, 8, 9]);
  expect(bucketOf(3, [])).toBe(3);
});
