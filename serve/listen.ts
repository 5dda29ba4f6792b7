import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { FailureError, UsageError } from "../schemas/errors.ts";
import { refuseBadHead } from "./edge/observe.ts";
import { holdBody } from "./http/expect-continue.ts";

export interface Listening {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Certificate and key in PEM; undefined: plain HTTP. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
  /** How long a client may take to send the head of a request, and all of it, ms. A slow sender holds a connection no longer. */
  readonly headMs?: number;
  readonly requestMs?: number;
}

/**
 * The one place that opens a port.
 *
 * @throws FailureError when the port is taken, forbidden, or the host is not an address of this machine
 */
export async function listen(
  handler: RequestListener,
  { host, port, tls, headMs = 10_000, requestMs = 120_000 }: Listening,
): Promise<{ server: Server; url: string }> {
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new UsageError(`Cannot serve: port must be an integer from 0 to 65535, got ${port}`);
  }
  const settings = {
    requireHostHeader: false, // the app refuses what has none, with a body
    headersTimeout: Math.min(headMs, requestMs),
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(1000, headMs),
    maxHeaderSize: 16 * 1024,
  };
  const server = openServer(handler, { settings, tls });
  server.on("clientError", refuseBadHead);
  server.on("checkExpectation", handler); // one that Node does not know: the app's to refuse as well
  server.on("checkContinue", holdBody(handler));
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(explain(error, { host, port })));
    server.listen(port, host, resolve);
  });
  const { address, port: actual, family } = server.address() as AddressInfo;
  return {
    server,
    url: `${tls === undefined ? "http" : "https"}://${family === "IPv6" ? `[${address}]` : address}:${actual}`,
  };
}

function openServer(handler: RequestListener, { settings, tls }: { settings: object; tls: Listening["tls"] }): Server {
  if (tls === undefined) return createServer(settings, handler);
  try {
    return createTlsServer({ ...settings, ...tls }, handler);
  } catch (cause) {
    throw new UsageError(
      `Cannot serve: certificate and key must be PEM and belong together, got ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

function explain(error: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): FailureError {
  const where = `Cannot serve on ${host} port ${port}`;
  const reasons: Record<string, string> = {
    EADDRINUSE: "the port must be free, got one in use; stop the other program or choose a free port with --port 0",
    EACCES: "the port must be open to this user, got no permission; choose one above 1023 or a free one with --port 0",
    EADDRNOTAVAIL: "the host must be an address of this machine; use --host 127.0.0.1",
    ENOTFOUND: "the host must be known, got a name without an address; use --host 127.0.0.1",
  };
  const code = error.code ?? "";
  return new FailureError(`${where}: ${reasons[code] ?? error.message}`, { code: "no_port", cause: error });
}
