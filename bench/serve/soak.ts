import { renameSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { stream } from "../../information/random.ts";
import { httpRequest } from "./load.ts";

/**
 * Many clients for a long time while the repository changes, workers are killed and clients go away in the middle. Every
 * request carries numbers of its own, the model gives them back: an answer to somebody else's request, a second answer,
 * or none cannot pass unseen.
 */
export interface SoakOptions {
  readonly port: number;
  /** A model with `y[n, 1] = x[n, 1]`, int32. */
  readonly model: string;
  readonly seconds: number;
  readonly clients: number;
  /** Puts another state of the bundle in its place. */
  readonly change: () => Promise<void>;
  readonly workerPids: () => readonly number[];
  /** Between two of them, ms. */
  readonly changeEveryMs: number;
  readonly killEveryMs: number;
  readonly seed?: number;
}

export interface SoakResult {
  readonly sent: number;
  /** Answers with the request's own numbers. */
  readonly right: number;
  /** 503: the worker was killed with the request, or was not back yet. */
  readonly unavailable: number;
  /** Requests whose client went away before the answer. */
  readonly abandoned: number;
  /** Connections that the server closed without an answer. */
  readonly lost: number;
  /** Bytes that nobody asked for. */
  readonly doubled: number;
  /** Any other answer, the first few of them. */
  readonly wrong: readonly string[];
  readonly changes: number;
  readonly kills: number;
}

interface Tally {
  sent: number;
  right: number;
  unavailable: number;
  abandoned: number;
  lost: number;
  doubled: number;
  wrong: string[];
}

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const tally: Tally = { sent: 0, right: 0, unavailable: 0, abandoned: 0, lost: 0, doubled: 0, wrong: [] };
  const end = performance.now() + options.seconds * 1000;
  let changes = 0;
  let kills = 0;
  const every = async (ms: number, act: () => void | Promise<void>): Promise<void> => {
    for (let at = performance.now() + ms; at < end; at = performance.now() + ms) {
      await sleep(ms);
      await act();
    }
  };
  await Promise.all([
    ...Array.from({ length: options.clients }, (_, index) => client(options, { index, end, tally })),
    every(options.changeEveryMs, async () => {
      await options.change();
      changes++;
    }),
    every(options.killEveryMs, () => {
      const [pid] = options.workerPids();
      if (pid === undefined) return;
      try {
        process.kill(pid, "SIGKILL");
        kills++;
      } catch {
        // it was replaced between the two lines
      }
    }),
  ]);
  return { ...tally, changes, kills };
}

async function client(
  { port, model, seed = 0 }: SoakOptions,
  { index, end, tally }: { index: number; end: number; tally: Tally },
): Promise<void> {
  const random = stream(seed, "soak", String(index));
  let socket: Connection | undefined;
  for (let count = 0; performance.now() < end; count++) {
    socket ??= await Connection.open(port);
    const rows = 1 + random.integer(4);
    const data = Array.from({ length: rows }, (_, row) => index * 1_000_000 + count * 10 + row);
    const id = `${index}.${count}`;
    const inputs = [{ name: "x", shape: [rows, 1], datatype: "INT32", data }];
    const body = Buffer.from(JSON.stringify({ id, inputs }));
    tally.sent++;
    const asked = socket.ask(httpRequest(`/v2/models/${model}/infer`, { "content-type": "application/json" }, body));
    if (random.integer(10) === 0) {
      await sleep(random.integer(5));
      socket.leave();
      socket = undefined;
      tally.abandoned++;
      continue;
    }
    const answer = await asked;
    if (answer === undefined) {
      tally.lost++;
      socket = undefined;
      continue;
    }
    if (answer.extra > 0) tally.doubled++;
    judge(answer, { id, data, tally });
    if (answer.status === 503) await sleep(200); // a client that does not listen to Retry-After would ask nothing else
    if (random.integer(5) === 0) await sleep(random.integer(3));
  }
  socket?.leave();
}

function judge(
  { status, body }: Answer,
  { id, data, tally }: { id: string; data: readonly number[]; tally: Tally },
): void {
  const parsed = JSON.parse(body) as { id?: string; outputs?: { data: number[] }[] };
  if (status === 200 && parsed.id === id && String(parsed.outputs?.[0]?.data) === String(data)) tally.right++;
  else if (status === 503) tally.unavailable++;
  else if (tally.wrong.length < 5) tally.wrong.push(`${id} [${data}] got ${status} ${body.slice(0, 200)}`);
}

interface Answer {
  readonly status: number;
  readonly body: string;
  /** Bytes behind the answer. */
  readonly extra: number;
}

/** One keep-alive connection, one request at a time. */
class Connection {
  readonly #socket: Socket;
  #text = "";
  #resolve: ((answer: Answer | undefined) => void) | undefined;

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => resolve(new Connection(socket)));
      socket.once("error", reject);
    });
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString("latin1");
      this.#read();
    });
    socket.on("error", () => undefined); // "close" follows
    socket.on("close", () => this.#settle(undefined));
  }

  ask(request: Uint8Array): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#socket.write(request);
      this.#read(); // what came without being asked for
    });
  }

  leave(): void {
    this.#resolve = undefined;
    this.#socket.destroy();
  }

  #read(): void {
    const head = this.#text.indexOf("\r\n\r\n");
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#text.slice(0, head));
    if (head < 0 || length === null) return;
    const end = head + 4 + Number(length[1]);
    if (this.#text.length < end) return;
    const answer = {
      status: Number(this.#text.slice(9, 12)),
      body: this.#text.slice(head + 4, end),
      extra: this.#text.length - end,
    };
    this.#text = this.#text.slice(end);
    this.#settle(answer);
  }

  #settle(answer: Answer | undefined): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.(answer);
  }
}

/** Puts the folder `next` in the place of `bundle`, in two renames: for a moment there is none. */
export function swapFolders(bundle: string, next: string, away: string): void {
  renameSync(bundle, away);
  renameSync(next, bundle);
}
