import { decode, encode } from "fast-png";
import { describe, expect, test } from "vitest";
import { outputsOf, toyServer } from "./toy-server.ts";
import { toyImage, toyPng } from "./two-view-bundle.ts";

const { url, post } = await toyServer();
const base64 = (bytes: Buffer): string => bytes.toString("base64");

describe("images", () => {
  test("as PNG in base64, as numbers, in a form and as the whole body give the same codes", async () => {
    const json = await post("encode", { inputs: { view_1: toyImage(255, 51) } });
    const inBase64 = await post("encode", { inputs: { view_1: base64(toyPng(255, 51)) } });
    const inUrl = await post("encode", { inputs: { view_1: [`data:image/png;base64,${base64(toyPng(255, 51))}`] } });
    const form = new FormData();
    form.set("view_1", new Blob([Uint8Array.from(toyPng(255, 51))]), "a.png");
    const inForm = await (await fetch(`${url}/v1/toy/encode`, { method: "POST", body: form })).json();
    const whole = await fetch(`${url}/v1/toy/encode?input=view_1`, {
      method: "POST",
      body: Uint8Array.from(toyPng(255, 51)),
      headers: { "content-type": "image/png" },
    });
    expect(outputsOf(json.body).unique_1_mean!.data).toEqual([[Math.fround(0.2)]]);
    for (const body of [inBase64.body, inUrl.body, inForm, await whole.json()]) expect(body).toEqual(json.body);
  });

  test("several files of one name are rows, and settings are fields", async () => {
    const form = new FormData();
    for (const common of [0, 51]) form.append("view_1", new Blob([Uint8Array.from(toyPng(common, 0))]), "a.png");
    form.set("noise_unique_2", "[[0.5],[0.75]]");
    form.set("outputs", "view_2");
    const answer = await (await fetch(`${url}/v1/toy/conditional`, { method: "POST", body: form })).json();
    expect(answer.rows).toBe(2);
    expect(answer.outputs.view_2.data.map((row: number[][][]) => row[0]!.flat())).toEqual([
      [0, 0.5, 0],
      [0.2, 0.75, 0.2].map(Math.fround),
    ]);
  });

  test.each([
    [
      "colours that are grey",
      {
        channels: 3,
        data: Uint8Array.from(
          toyImage(255, 51)
            .flat(2)
            .flatMap((v) => [v, v, v]),
        ),
      },
    ],
    [
      "grey with full opacity",
      {
        channels: 2,
        data: Uint8Array.from(
          toyImage(255, 51)
            .flat(2)
            .flatMap((v) => [v, 255]),
        ),
      },
    ],
  ])("take %s for a grey input", async (_, change) => {
    const { body } = await post("encode", { inputs: { view_1: base64(toyPng(0, 0, change)) } });
    expect(outputsOf(body).unique_1_mean!.data).toEqual([[Math.fround(0.2)]]);
  });

  const grey = toyImage(255, 51).flat(2);
  const truncated = toyPng(1, 1).subarray(0, 50);
  const bomb = Buffer.from(encode({ width: 3000, height: 3000, channels: 1, depth: 8, data: new Uint8Array(9e6) }));
  test.each([
    ["another size", toyPng(0, 0, { width: 2, height: 3 }), "it must be 3x2 pixels, got 2x3"],
    [
      "true colours",
      toyPng(0, 0, { channels: 3, data: Uint8Array.from(grey.flatMap((v) => [v, 0, 0])) }),
      "it must be grey",
    ],
    [
      "pixels that let through",
      toyPng(0, 0, { channels: 2, data: Uint8Array.from(grey.flatMap((v) => [v, 7])) }),
      "must be opaque",
    ],
    ["16 bits", toyPng(0, 0, { depth: 16, data: Uint16Array.from(grey) }), "at most 8 bits a channel"],
    ["half a file", truncated, "the file is damaged"],
    ["text", Buffer.from("hello"), "it is no PNG file"],
    ["a picture that unpacks to much", bomb, "it must be 3x2 pixels, got 3000x3000"],
  ])("422 for %s", async (_, bytes, text) => {
    const answer = await post("encode", { inputs: { view_1: [base64(bytes)] } });
    expect(answer).toMatchObject({
      status: 422,
      body: { code: "bad_image", error: expect.stringContaining(text), path: ["inputs", "view_1", 0] },
    });
  });

  test("400 for what is no base64, and for an image where numbers are wanted", async () => {
    expect(await post("encode", { inputs: { view_1: "no!" } })).toMatchObject({ status: 400 });
    const form = new FormData();
    form.set("common", new Blob([Uint8Array.from(toyPng(1, 1))]), "a.png");
    for (const name of ["unique_1", "unique_2"]) form.set(name, "[[1]]");
    const answer = await fetch(`${url}/v1/toy/decode`, { method: "POST", body: form });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: 'Cannot run task: "common" must be numbers, got an image' });
  });

  test("come back as PNG in base64 where the body asks, one a row", async () => {
    const inputs = { common: [[1], [0]], unique_1: [[0], [1]], unique_2: [[0], [0]] };
    const { body } = await post("decode", { inputs, outputs: ["view_1"], images: "png" });
    const pictures = outputsOf(body).view_1!.png!.map((text) => decode(Buffer.from(text, "base64")));
    expect(pictures).toHaveLength(2);
    expect(pictures[0]).toMatchObject({ width: 3, height: 2, channels: 1 });
    expect([...pictures[0]!.data]).toEqual([255, 0, 255, 255, 255, 255]);
    expect([...pictures[1]!.data]).toEqual([0, 255, 0, 0, 0, 0]);
  });

  test("come back as one PNG where Accept says so: a line for each row, a column for each output", async () => {
    const inputs = { common: [[0.2], [0.4]], unique_1: [[0], [0]], unique_2: [[1], [2]] };
    const answer = await fetch(`${url}/v1/toy/decode`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "image/png" },
      body: JSON.stringify({ inputs }),
    });
    expect(answer.headers.get("content-type")).toBe("image/png");
    const picture = decode(await answer.arrayBuffer());
    expect([picture.width, picture.height]).toEqual([6, 4]);
    expect([...picture.data.subarray(0, 6)]).toEqual([51, 0, 51, 51, 255, 51]);
    expect([...picture.data.subarray(12, 18)]).toEqual([102, 0, 102, 102, 255, 102]); // 2 is shown as white
  });

  test("400 for a PNG of codes", async () => {
    const answer = await fetch(`${url}/v1/toy/encode`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "image/png" },
      body: JSON.stringify({ inputs: { view_1: toyImage(1, 1) } }),
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: "no_image" });
  });
});
