import { afterAll, beforeEach } from "vitest";
import type { TaskResponse } from "../../../schemas/tasks.ts";
import { createApp } from "../../../serve/app.ts";
import { type Answer, type Client, clientOf } from "../client.ts";
import { type FakeEngine, fakeEngine, serveApp } from "../fake-engine.ts";
import { twoView } from "./two-view-bundle.ts";

export interface ToyServer {
  /** What it was asked is forgotten before each test. */
  readonly engine: FakeEngine;
  readonly url: string;
  readonly client: Client;
  /** Asks a verb of the bundle. */
  post(verb: string, body: unknown): Promise<Answer>;
}

/** A server of `twoView` for the tests of one file. */
export async function toyServer(): Promise<ToyServer> {
  const engine = fakeEngine([twoView]);
  const { url, close } = await serveApp(createApp({ engine, bodyLimit: 1 << 20 }));
  const client = clientOf(url);
  beforeEach(() => {
    engine.asked.length = 0;
  });
  afterAll(close);
  return { engine, url, client, post: (verb, body) => client.post(`/v1/toy/${verb}`, body) };
}

export const outputsOf = (body: unknown): TaskResponse["outputs"] => (body as TaskResponse).outputs;
