import { decode } from "fast-png";
import { describe, expect, test } from "vitest";
import { stream } from "../../../information/random.ts";
import type { TaskResponse } from "../../../schemas/tasks.ts";
import { HttpError } from "../../../serve/http-error.ts";
import { outputsOf, toyServer } from "./toy-server.ts";
import { toyImage, toyPng } from "./two-view-bundle.ts";

const { engine, url, client, post } = await toyServer();

describe("which task answers", () => {
  test.each([
    ["both views", { view_1: toyImage(255, 0), view_2: toyImage(51, 0) }, "encode"],
    ["view 1 alone", { view_1: toyImage(255, 0) }, "encode_1"],
    ["view 2 alone", { view_2: toyImage(255, 0) }, "encode_2"],
  ])("encode with %s", async (_, inputs, task) => {
    const { status, body } = await post("encode", { inputs });
    expect(status).toBe(200);
    expect(body).toMatchObject({ bundle: "toy", task, version: "1", rows: 1 });
    expect(outputsOf(body).common_mean).toMatchObject({ shape: [1, 1], names: ["it"], data: [[1]] });
    expect(body).not.toHaveProperty("seed");
  });

  test("a variant chooses where several tasks take the inputs", async () => {
    const inputs = { view_1: toyImage(255, 51), view_2: toyImage(0, 102) };
    expect(await post("style-transfer", { inputs })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('"variant" must be one of 1, 2'), code: "bad_variant", path: ["variant"] },
    });
    const { body } = await post("style-transfer", { inputs, variant: "1" });
    expect(outputsOf(body).styled_view_1!.data).toEqual([
      [
        [[0], [Math.fround(51 / 255)], [0]],
        [[0], [0], [0]],
      ],
    ]);
  });

  test.each([
    ["/v1/tou/encode", {}, 404, "unknown_bundle", 'did you mean "toy"?'],
    ["/v1/toy/predict", {}, 404, "unknown_task", "it has encode, encode_1"],
    [
      "/v1/toy/encode",
      {},
      400,
      "bad_inputs",
      "view_1 and view_2 (encode), or view_1 (encode_1), or view_2 (encode_2), got none",
    ],
    ["/v1/toy/encode", { inputs: { view_3: [] } }, 400, "bad_inputs", 'unknown input "view_3", did you mean "view_1"?'],
    ["/v1/toy/encode", { inputs: { __proto__: 1 } }, 400, "bad_inputs", "got none"],
    ["/v1/toy/encode", '{"inputs":{"__proto__":[1]}}', 400, "bad_inputs", 'unknown input "__proto__"'],
    ["/v1/toy/encode", '{"__proto__":{"seed":1}}', 400, "invalid", 'unknown key "__proto__"'],
    ["/v1/toy/encode", { input: {} }, 400, "invalid", 'unknown key "input", did you mean "inputs"?'],
    ["/v1/toy/joint", { samples: 0 }, 400, "invalid", '"samples" must be >= 1'],
    [
      "/v1/toy/joint",
      { samples: 2, outputs: ["view_9"] },
      400,
      "bad_inputs",
      'unknown output "view_9", did you mean "view_1"?',
    ],
    ["/v1/toy/joint", { version: "2" }, 404, "unknown_version", "version"],
    ["/v1/toy/joint", [], 400, "invalid", "its body must be an object"],
    ["/v1/toy/joint", { inputs: 3 }, 400, "invalid", '"inputs" must be an object by name, got 3'],
  ])("POST %s with %j is %s %s", async (path, body, status, code, text) => {
    const answer = await client.post(path, body);
    expect(answer).toMatchObject({ status, body: { code, error: expect.stringContaining(text) } });
  });
});

test.each([
  ["LOADING", 503, "not_ready", "1"],
  ["UNLOADING", 503, "not_ready", "1"],
  ["UNAVAILABLE", 404, "bad_bundle", null],
] as const)("a bundle that is %s is answered %s with its reason", async (state, status, code, retryAfter) => {
  engine.absent.push({ name: "late", version: "", status: state, reason: "So it is" });
  const answer = await client.post("/v1/late/encode", { inputs: {} });
  engine.absent.pop();
  const error = 'Cannot find bundle "late": it is not served. So it is';
  expect(answer).toMatchObject({ status, body: { error, code, path: [] } });
  expect(answer.headers.get("retry-after")).toBe(retryAfter);
});

test("a task lets go of its bundle, whether it is answered or not", async () => {
  const inputs = { view_1: toyImage(255, 0) };
  expect((await post("encode", { inputs })).status).toBe(200);
  expect((await post("traverse", { inputs, dimension: "common_0" })).status).toBe(200);
  expect((await post("encode", { inputs: { view_1: 3 } })).status).toBe(400);
  engine.fault = new HttpError("Cannot infer: the worker was lost", { status: 503, code: "worker_lost" });
  expect((await post("encode", { inputs })).status).toBe(503);
  engine.fault = undefined;
  expect(engine.pins).toBe(0);
});

describe("seeds", () => {
  const drawn = async (body: object) => {
    const answer = await post("conditional", { inputs: { view_1: toyImage(255, 0) }, ...body });
    expect(answer.status).toBe(200);
    const { seed, outputs } = answer.body as TaskResponse;
    const rows = outputs.view_2!.data as number[][][][];
    return { seed, own: rows.map((row) => row[0]![1]![0]!) };
  };

  test("give the same answer again, and are said where the server chose one", async () => {
    const first = await drawn({ samples: 3 });
    expect(Number.isSafeInteger(first.seed)).toBe(true);
    expect(await drawn({ samples: 3, seed: first.seed })).toEqual(first);
    expect((await drawn({ samples: 3 })).own).not.toEqual(first.own);
  });

  test("draw the project's named stream; a longer draw begins with the shorter one", async () => {
    const { normal } = stream(7, "noise", "noise_unique_2");
    const wanted = Array.from({ length: 5 }, () => Math.fround(normal()));
    expect((await drawn({ samples: 5, seed: 7 })).own).toEqual(wanted);
    expect((await drawn({ samples: 2, seed: 7 })).own).toEqual(wanted.slice(0, 2));
  });

  test("are not needed where the noise is given", async () => {
    const answer = await drawn({ inputs: { view_1: toyImage(255, 0), noise_unique_2: [0.25] } });
    expect(answer).toEqual({ seed: undefined, own: [0.25] });
  });

  test("draws of one row stand together, and rows go to the engine in parts that fit a batch", async () => {
    const { body } = await post("conditional", {
      inputs: { view_1: [toyImage(255, 0), toyImage(51, 0)] },
      samples: 3,
      seed: 1,
    });
    const rows = outputsOf(body).view_2!.data as number[][][][];
    expect(rows.map((row) => row[0]![0]![0]!)).toEqual([1, 1, 1, 0.2, 0.2, 0.2].map(Math.fround));
    expect(engine.asked.map(({ inputs }) => inputs.view_1!.shape[0])).toEqual([4, 2]);
  });

  test("400 above the rows that one request may ask for", async () => {
    expect(await post("joint", { samples: 1024 })).toMatchObject({ status: 200 });
    const inputs = { view_1: [toyImage(1, 1), toyImage(1, 1)] };
    expect(await post("conditional", { inputs, samples: 1000 })).toMatchObject({
      status: 400,
      body: { code: "too_many_rows", error: expect.stringContaining("at most 1024, got 2000") },
    });
  });
});

describe("numbers", () => {
  test.each([
    ["too few pixels", { view_1: [[[1]]] }, "entries at inputs.view_1.0, got 1"],
    ["a value beyond uint8", { view_1: toyImage(256, 0) }, "an integer from 0 to 255"],
    ["an object", { view_1: {} }, '"view_1" must be numbers [n, 2, 3, 1], or a PNG in base64, got {}'],
    ["no rows", { view_1: [] }, "at least one row"],
    [
      "unequal rows",
      { view_1: [toyImage(1, 1)], view_2: [toyImage(1, 1), toyImage(1, 1)] },
      '"view_2" must have 1 rows as "view_1" has, got 2',
    ],
  ])("400 for %s", async (_, inputs, text) => {
    const answer = await post("encode", { inputs });
    expect(answer).toMatchObject({ status: 400, body: { error: expect.stringContaining(text), code: "bad_inputs" } });
    expect(engine.asked).toEqual([]);
  });
});

test("400 for an array nested without end, whatever the route", async () => {
  const endless = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
  for (const body of [`{"inputs":{"view_1":${endless}}}`, `{"inputs":${endless}}`, `{"seed":${endless}}`, endless]) {
    expect((await client.post("/v1/toy/encode", body)).status).toBe(400);
    expect((await client.post("/v2/models/toy.encode/infer", body)).status).toBe(400);
  }
});

describe("settings in the query", () => {
  const settings = "seed=7&samples=3&outputs=view_2&images=png";
  const file = new Blob([Uint8Array.from(toyPng(255, 0))]);
  const form = (fields: Record<string, string> = {}): RequestInit => {
    const body = new FormData();
    body.set("view_1", file, "a.png");
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    return { body };
  };
  const json = (more: object = {}): RequestInit => ({
    body: JSON.stringify({ inputs: { view_1: toyImage(255, 0) }, ...more }),
    headers: { "content-type": "application/json" },
  });
  const picture: RequestInit = { body: file, headers: { "content-type": "image/png" } };
  const call = (path: string, init: RequestInit) => client.get(`/v1/toy/${path}`, { method: "POST", ...init });

  test("say the same whatever the body is, and the same as in the body", async () => {
    const inBody = await call("conditional", json({ seed: 7, samples: 3, outputs: ["view_2"], images: "png" }));
    expect(inBody).toMatchObject({ status: 200, body: { rows: 3, seed: 7 } });
    for (const body of [picture, form(), json()]) {
      expect((await call(`conditional?${settings}`, body)).body).toEqual(inBody.body);
    }
    const divided = await call("conditional?seed=7&images=png", form({ samples: "3", outputs: "view_2" }));
    expect(divided.body).toEqual(inBody.body);
  });

  test("that a form sends empty are left out, as pages send them for a person who filled nothing in", async () => {
    const empty = form({ view_2: "", seed: "", samples: "", outputs: "", version: "" });
    const answer = await call("conditional?samples=2&seed=1", empty);
    expect(answer).toMatchObject({ status: 200, body: { rows: 2, seed: 1 } });
  });

  test("are enough for a task without inputs, and are read by traverse", async () => {
    expect(await call("joint?samples=2&seed=1", {})).toMatchObject({ status: 200, body: { rows: 2, seed: 1 } });
    const walk = await call("traverse?dimension=common_0&steps=3", form());
    expect(walk).toMatchObject({ status: 200, body: { rows: 3, dimension: "common_0" } });
  });

  test.each([
    ["a form", form({ seed: "8" })],
    ["JSON", json({ seed: 7 })],
  ])("400 for one that is in %s too", async (_, body) => {
    expect(await call("conditional?seed=7", body)).toMatchObject({
      status: 400,
      body: {
        error: 'Cannot read request: "seed" must be in the query or in the body, got it in both',
        code: "invalid",
        path: ["seed"],
      },
    });
  });

  test.each([
    ["conditional?sed=7", 'unknown key "sed" in the query, did you mean "seed"?', "sed"],
    ["traverse?sed=7&dimension=common_0", 'unknown key "sed" in the query', "sed"],
    ["common-information?samples=7", 'unknown key "samples" in the query', "samples"],
    ["estimates?kin=x", 'unknown key "kin" in the query, did you mean "kind"?', "kin"],
    ["conditional?__proto__=1", 'unknown key "__proto__" in the query', "__proto__"],
    ["conditional?samples=0", '"samples" must be >= 1, got 0', "samples"],
    ["conditional?samples=two", '"samples" must be integer, got "two"', "samples"],
  ])("400 for %s with any body", async (path, text, name) => {
    for (const body of [picture, form(), json()]) {
      const answer = await call(path, body);
      expect(answer).toMatchObject({ status: 400, body: { error: expect.stringContaining(text), path: [name] } });
    }
    expect(engine.asked).toEqual([]);
  });

  test("400 for the name of an input where the body is no PNG", async () => {
    for (const body of [form(), json()]) {
      expect(await call("conditional?input=view_1", body)).toMatchObject({ status: 400, body: { path: ["input"] } });
    }
    expect((await call("conditional?input=view_1", picture)).status).toBe(200);
  });
});

describe("traverse", () => {
  test("moves one dimension in equal steps and keeps what the views tell, 0 where none tells", async () => {
    const { status, body } = await client.post("/v1/toy/traverse", {
      inputs: { view_1: toyImage(255, 51) },
      dimension: "common_0",
      from: 0,
      to: 1,
      steps: 5,
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      task: "decode",
      dimension: "common_0",
      values: [0, 0.25, 0.5, 0.75, 1],
      code: { common: [1], unique_1: [Math.fround(0.2)], unique_2: [0] },
      rows: 5,
    });
    const rows = (name: string) => outputsOf(body)[name]!.data as number[][][][];
    expect(rows("view_1").map((row) => row[0]!.flat())).toEqual(
      [0, 0.25, 0.5, 0.75, 1].map((value) => [value, Math.fround(0.2), value]),
    );
    expect(rows("view_2").map((row) => row[0]![1]![0])).toEqual([0, 0, 0, 0, 0]);
  });

  test("starts from blocks of code by name, and shows a strip as PNG: a column for each step, a line for each view", async () => {
    const answer = await fetch(`${url}/v1/toy/traverse`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "image/png" },
      body: JSON.stringify({ inputs: { common: [1] }, dimension: "unique_2_0", from: 0, to: 1, steps: 4 }),
    });
    const picture = decode(await answer.arrayBuffer());
    expect([picture.width, picture.height]).toEqual([12, 4]);
    expect([...picture.data.subarray(24, 36)]).toEqual([255, 0, 255, 255, 85, 255, 255, 170, 255, 255, 255, 255]);
  });

  test.each([
    [{ dimension: "comon_0" }, 'unknown dimension "comon_0", did you mean "common_0"?'],
    [{ dimension: "common_0", steps: 1 }, '"steps" must be >= 2'],
    [{ dimension: "common_0", inputs: { common: [[1], [2]] } }, '"common" must be one row, got 2'],
    [{}, '"dimension" is missing'],
  ])("400 for %j", async (body, text) => {
    expect(await client.post("/v1/toy/traverse", body)).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining(text) },
    });
  });
});

describe("bodies", () => {
  test.each(["text/plain", "image/jpeg", "application/json; charset=latin1"])("415 for %s", async (type) => {
    const answer = await client.post("/v1/toy/encode", "{}", { headers: { "content-type": type } });
    expect(answer).toMatchObject({ status: 415, body: { code: "unsupported_media_type" } });
  });

  test.each([
    ["a form without its boundary", "multipart/form-data", "x"],
    [
      "a form that ends early",
      "multipart/form-data; boundary=b",
      "--b\r\ncontent-disposition: form-data; name=x\r\n\r\n",
    ],
  ])("400 for %s", async (_, type, body) => {
    const answer = await client.post("/v1/toy/encode", body, { headers: { "content-type": type } });
    expect(answer).toMatchObject({ status: 400, body: { code: "bad_form" } });
  });

  test("400 for a field that is there twice, in a form and in the query", async () => {
    const form = new FormData();
    form.append("seed", "1");
    form.append("seed", "2");
    expect((await fetch(`${url}/v1/toy/joint`, { method: "POST", body: form })).status).toBe(400);
    const headers = { "content-type": "image/png" };
    const answer = await fetch(`${url}/v1/toy/encode?seed=1&seed=2`, { method: "POST", body: "x", headers });
    expect(answer.status).toBe(400);
  });
});
