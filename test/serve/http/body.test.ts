import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../../serve/app.ts";
import { listen } from "../../../serve/listen.ts";
import { fakeEngine } from "../fake-engine.ts";
import { twoView } from "../tasks/two-view-bundle.ts";

/** What a client sees that writes and reads by hand: `fetch` tells neither interim answers nor when an answer came. */

const limit = 1 << 16;
const token = "a-token-of-this-test-01234";
const infer = "/v2/models/toy.encode_1/infer";
let port: number;
let close: () => Promise<void>;

beforeAll(async () => {
  const app = createApp({ engine: fakeEngine([twoView]), bodyLimit: limit, tokens: { client: token } });
  const { server, url } = await listen(app, { host: "127.0.0.1", port: 0 });
  port = Number(new URL(url).port);
  close = async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };
});
afterAll(() => close());

interface Connection {
  readonly socket: Socket;
  /** All text so far, once it matches. Fails when the connection ends before. */
  until(pattern: RegExp): Promise<string>;
  /** All text, once the server has ended its side. */
  ended(): Promise<string>;
}

async function open(): Promise<Connection> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let text = "";
  let over = false;
  let look = (): void => undefined;
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    look();
  });
  socket.on("end", () => {
    over = true;
    look();
  });
  socket.on("error", () => undefined); // a server that has hung up resets who goes on sending
  await once(socket, "connect");
  const when = (fits: () => boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      look = () => {
        if (fits()) resolve(text);
        else if (over) reject(new Error(`The connection ended with: ${text}`));
      };
      look();
    });
  return { socket, until: (pattern) => when(() => pattern.test(text)), ended: () => when(() => over) };
}

const head = (path: string, headers: Record<string, string | number>): string =>
  `${[
    `POST ${path} HTTP/1.1`,
    "Host: test",
    `Authorization: Bearer ${token}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ].join("\r\n")}\r\n\r\n`;

const tooLarge = `{"error":"Cannot read request: its body must be at most ${limit} bytes, got more; send fewer rows at a time","code":"too_large","path":[]}`;
const json = { "Content-Type": "application/json" };
const form = { "Content-Type": "multipart/form-data; boundary=b" };

describe("a body that is too large", () => {
  test.each([
    ["infer", infer, json],
    ["infer by a name with an escape", "/v2/models/toy%2Eencode_1/infer", json],
    ["a task in JSON", "/v1/toy/encode", json],
    ["a form", "/v1/toy/encode", form],
    ["an estimate", "/v1/toy/common-information", form],
    ["a table", "/v1/discrete-information", json],
    ["the repository", "/v2/repository/index", json],
  ])("is refused by the head of %s, before any of it came, and the connection ends", async (_, path, type) => {
    const { socket, ended } = await open();
    socket.write(head(path, { ...type, "Content-Length": 200_000_000 }));
    const answer = await ended();
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toMatch(/\r\nConnection: close\r\n/s);
    expect(JSON.parse(answer.split("\r\n\r\n")[1]!)).toMatchObject({ code: "too_large", path: [] });
    socket.destroy();
  });

  test("that is still being sent does not lose the answer; a client that never stops is cut off", async () => {
    const { socket, ended } = await open();
    socket.write(head(infer, { ...json, "Content-Length": 200_000_000 }));
    const closed = new Promise((resolve) => socket.once("close", resolve)); // `once` fails at the reset
    const part = Buffer.alloc(1 << 16, 0x20);
    let sent = 0;
    const send = (): void => {
      while (!socket.destroyed && sent < 200_000_000) {
        sent += part.length;
        if (!socket.write(part)) return;
      }
    };
    socket.on("drain", send);
    send();
    expect(await ended()).toContain(tooLarge);
    await closed;
    expect(sent).toBeLessThan(200_000_000);
  });

  test("is refused at the limit where the head does not say its size", async () => {
    const { socket, ended } = await open();
    socket.write(head(infer, { ...json, "Transfer-Encoding": "chunked" }));
    const size = limit + 1;
    socket.write(`${size.toString(16)}\r\n${" ".repeat(size)}\r\n`); // and no last chunk
    const answer = await ended();
    expect(answer).toMatch(/^HTTP\/1\.1 413 .*\r\nConnection: close\r\n/s);
    expect(answer).toContain(tooLarge);
    socket.destroy();
  });

  test.each([
    ["what it inflates to", gzipSync(Buffer.alloc(1 << 24)).subarray(0, 8000), "gzip"],
    ["what is sent, though it inflates to nothing", Buffer.concat(emptyBlocks()), "deflate"],
  ])("is refused at the limit of %s", async (_, bytes, encoding) => {
    const { socket, ended } = await open();
    socket.write(head(infer, { ...json, "Content-Encoding": encoding, "Transfer-Encoding": "chunked" }));
    socket.write(`${bytes.length.toString(16)}\r\n`);
    socket.write(bytes);
    expect(await ended()).toContain(tooLarge);
    socket.destroy();
  });

  test("that came whole before it was refused leaves the connection open", async () => {
    const { socket, until } = await open();
    const bomb = gzipSync(Buffer.alloc(1 << 17));
    const call = { ...json, "Content-Encoding": "gzip", "Content-Length": bomb.length };
    socket.write(Buffer.concat([Buffer.from(head(infer, call)), bomb]));
    expect(await until(/too_large/)).toMatch(/^HTTP\/1\.1 413 .*\r\nConnection: keep-alive\r\n/s);
    socket.write("GET /v2/health/live HTTP/1.1\r\nHost: test\r\n\r\n");
    await until(/"live":true/);
    socket.destroy();
  });
});

/** A zlib stream of stored blocks without content, longer than the limit. */
function emptyBlocks(): Buffer[] {
  const opening = deflateSync(Buffer.alloc(0)).subarray(0, 2);
  return [opening, ...Array.from({ length: limit / 5 + 10 }, () => Buffer.from([0, 0, 0, 0xff, 0xff]))];
}

describe("a body in parts or inflated", () => {
  test("is read whole, below the limit of both", async () => {
    const body = JSON.stringify({ samples: 2 });
    for (const [encoding, bytes] of [
      ["identity", Buffer.from(body)],
      ["gzip", gzipSync(body)],
    ] as const) {
      const { socket, until } = await open();
      socket.write(head("/v1/toy/joint", { ...json, "Content-Encoding": encoding, "Transfer-Encoding": "chunked" }));
      for (const byte of bytes) socket.write(Buffer.from([0x31, 13, 10, byte, 13, 10]));
      socket.write("0\r\n\r\n");
      expect(await until(/"rows":2/)).toMatch(/^HTTP\/1\.1 200 /);
      socket.destroy();
    }
  });

  test.each([
    ["is cut short", gzipSync(randomBytes(1000)).subarray(0, 500)],
    ["is not what its encoding says", Buffer.from("hello")],
  ])("400 where it %s", async (_, bytes) => {
    const { socket, until } = await open();
    const call = { ...json, "Content-Encoding": "gzip", "Content-Length": bytes.length };
    socket.write(Buffer.concat([Buffer.from(head(infer, call)), bytes]));
    expect(await until(/bad_request/)).toMatch(/^HTTP\/1\.1 400 /);
    socket.destroy();
  });
});

describe("a client that asks before it sends (Expect: 100-continue)", () => {
  const asking = { ...json, Expect: "100-continue" };

  test.each([
    ["413", infer, { "Content-Length": 200_000_000 }],
    ["413", "/v1/toy/encode", { "Content-Length": 200_000_000 }],
    ["404", "/v2/models/none/infer", { "Content-Length": 100 }],
    ["404", "/v1/toy/none", { "Content-Length": 100 }],
    ["401", infer, { "Content-Length": 100, Authorization: "Bearer another-token-0123456789" }],
    ["415", "/v1/toy/encode", { "Content-Length": 100, "Content-Type": "text/plain" }],
  ])("is answered %s by %s, and not invited", async (status, path, headers) => {
    const { socket, ended } = await open();
    const call = head(path, { ...asking, ...headers });
    socket.write("Authorization" in headers ? call.replace(`Authorization: Bearer ${token}\r\n`, "") : call);
    const answer = await ended();
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*\\r\\nConnection: close\\r\\n`, "s"));
    expect(answer).not.toContain("100 Continue");
    socket.destroy();
  });

  test.each([
    [
      "infer",
      infer,
      { inputs: [{ name: "view_1", shape: [1, 2, 3, 1], datatype: "UINT8", data: [1, 2, 3, 4, 5, 6] }] },
    ],
    ["a task", "/v1/toy/joint", { samples: 2 }],
  ])("is invited once where %s reads the body, and keeps its connection", async (_, path, value) => {
    const { socket, until } = await open();
    const body = JSON.stringify(value);
    socket.write(head(path, { ...asking, "Content-Length": body.length }));
    expect(await until(/\r\n\r\n$/)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    socket.write(body);
    const answer = await until(/outputs/);
    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 .*\r\nConnection: keep-alive\r\n/s);
    socket.write("GET /v2/health/live HTTP/1.1\r\nHost: test\r\n\r\n");
    await until(/"live":true/);
    socket.destroy();
  });
});
