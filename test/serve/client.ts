import { expect } from "vitest";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed body; every answer of the server is JSON. */
  readonly body: unknown;
}

export interface Client {
  get(path: string, init?: RequestInit): Promise<Answer>;
  /** A string is sent as it is, anything else as JSON; content type `application/json` unless `init` says otherwise. */
  post(path: string, body: unknown, init?: RequestInit): Promise<Answer>;
}

export function clientOf(url: string): Client {
  async function call(path: string, init: RequestInit): Promise<Answer> {
    const response = await fetch(url + path, init);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    const text = await response.text();
    // JSON.parse refuses NaN and Infinity, so every answer of every test is checked for them.
    return { status: response.status, headers: response.headers, body: JSON.parse(text) };
  }
  return {
    get: (path, init = {}) => call(path, init),
    post: (path, body, init = {}) =>
      call(path, {
        method: "POST",
        body: typeof body === "string" ? body : JSON.stringify(body),
        headers: { "content-type": "application/json" },
        ...init,
      }),
  };
}

/** Node options under which a child process of a test runs the TypeScript sources. */
export const typescriptOptions = `--import ${new URL("../typescript.mjs", import.meta.url).href}`;
