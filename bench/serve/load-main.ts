import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { LoadOrder, LoadResult } from "./load.ts";

/**
 * Entry of the load process. Plain sockets and a parser for exactly the answers of this server: what the generator takes
 * from the machine, the server does not get.
 */

process.on("message", (order: LoadOrder) => {
  void run(order).then((result) => process.send?.(result));
});
process.on("disconnect", () => process.exit(0));

async function run(order: LoadOrder): Promise<LoadResult> {
  const before = process.cpuUsage();
  const tally = order.ratePerS === undefined ? await closedLoop(order) : await openLoop(order, order.ratePerS);
  const { user, system } = process.cpuUsage(before);
  const latencies = Float64Array.from(tally.latencies).sort();
  const quantile = (q: number): number => latencies[Math.min(latencies.length - 1, Math.floor(q * latencies.length))]!;
  return {
    answers: latencies.length,
    failures: tally.failures,
    seconds: tally.seconds,
    cpuSeconds: (user + system) / 1e6,
    p50: quantile(0.5),
    p95: quantile(0.95),
    p99: quantile(0.99),
    first: tally.first,
  };
}

interface Tally {
  /** ms, of good answers. */
  readonly latencies: number[];
  /** From the first request to the last answer. */
  seconds: number;
  failures: number;
  first: Uint8Array | undefined;
}

/**
 * ms between the opening of the connections and the first request: to accept 256 of them, and to close those of the load
 * before, keeps the server busy for 12 ms, and what is due meanwhile made up half of the slowest hundredth.
 */
const settleMs = 200;

/** Every connection sends its next request when it has the answer to the last. */
async function closedLoop({ port, request, concurrency, seconds }: LoadOrder): Promise<Tally> {
  const tally: Tally = { latencies: [], seconds: 0, failures: 0, first: undefined };
  const clients = await Promise.all(Array.from({ length: concurrency }, () => Client.open(port)));
  await sleep(settleMs);
  const began = performance.now();
  const end = began + seconds * 1000;
  await Promise.all(
    clients.map(async (client) => {
      while (performance.now() < end) {
        const sent = performance.now();
        note(tally, await client.ask(request), performance.now() - sent);
      }
      client.close();
    }),
  );
  tally.seconds = (performance.now() - began) / 1000;
  return tally;
}

/**
 * Requests at a fixed rate whatever the answers do; a latency counts from the moment the request was due. The clock is a
 * thread that sleeps (`ticker-main.ts`): Node's timers are up to 1 ms late, more than an answer takes, and a loop that
 * waits awake takes a core from the server.
 */
async function openLoop({ port, request, concurrency, seconds }: LoadOrder, ratePerS: number): Promise<Tally> {
  const tally: Tally = { latencies: [], seconds: 0, failures: 0, first: undefined };
  const idle = await Promise.all(Array.from({ length: concurrency }, () => Client.open(port)));
  const all = [...idle];
  const total = Math.floor(ratePerS * seconds);
  await sleep(settleMs);
  const intervalMs = 1000 / ratePerS;
  const ticker = new Worker(new URL("ticker-main.js", import.meta.url), { workerData: { everyMs: intervalMs } });
  await once(ticker, "message");
  const began = performance.now();
  const pending: Promise<void>[] = [];
  let sent = 0;
  const sendDue = (): void => {
    for (const now = performance.now(); sent < total && began + sent * intervalMs <= now; sent++) {
      const due = began + sent * intervalMs;
      const client = idle.pop();
      if (client === undefined) {
        tally.failures++; // as many requests are open as there are connections: the rate is too high
        continue;
      }
      const noted = client.ask(request).then((answer) => {
        note(tally, answer, performance.now() - due);
        idle.push(client);
      });
      pending.push(noted);
    }
  };
  while (sent < total) {
    await once(ticker, "message");
    sendDue();
  }
  await ticker.terminate();
  await Promise.all(pending);
  tally.seconds = (performance.now() - began) / 1000;
  for (const client of all) client.close();
  return tally;
}

function note(tally: Tally, answer: Uint8Array | undefined, ms: number): void {
  if (answer === undefined) {
    tally.failures++;
    return;
  }
  tally.latencies.push(ms);
  tally.first ??= answer;
}

/** One keep-alive connection, one request at a time. */
class Client {
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #received = 0;
  /** Bytes of the whole answer, once its head is there. */
  #wanted = Number.POSITIVE_INFINITY;
  /** Bytes of the last answer. */
  #lastSize = 0;
  #resolve: ((answer: Uint8Array | undefined) => void) | undefined;

  static open(port: number): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => resolve(new Client(socket)));
      socket.once("error", reject);
    });
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay();
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("close", () => this.#resolve?.(undefined));
  }

  /** The answer, head and body, if its status is 200. */
  ask(request: Uint8Array): Promise<Uint8Array | undefined> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    // As long as the last whole answer: read as one, since to look for its length is a fifth of what a request costs here.
    if (this.#received === 0 && chunk.length === this.#lastSize) {
      this.#answered(chunk);
      return;
    }
    this.#chunks.push(chunk);
    this.#received += chunk.length;
    if (this.#wanted === Number.POSITIVE_INFINITY) this.#wanted = wholeLength(this.#chunks);
    if (this.#received < this.#wanted) return;
    const answer = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#received = 0;
    this.#wanted = Number.POSITIVE_INFINITY;
    this.#lastSize = answer.length;
    this.#answered(answer);
  }

  #answered(answer: Buffer): void {
    this.#resolve?.(answer.toString("latin1", 9, 12) === "200" ? answer : undefined);
  }
}

function wholeLength(chunks: readonly Buffer[]): number {
  const text = Buffer.concat(chunks).toString("latin1", 0, 2000);
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return Number.POSITIVE_INFINITY;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end));
  if (length === null) throw new Error(`The answer must have a content-length, got ${text.slice(0, end)}`);
  return end + 4 + Number(length[1]);
}
