import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { FailureError, UsageError } from "../schemas/errors.ts";

/**
 * The one place that opens a port.
 *
 * @param port 0 picks a free one
 * @throws FailureError when the port is taken, forbidden, or the host is not an address of this machine
 */
export async function listen(
  handler: RequestListener,
  { host, port }: { host: string; port: number },
): Promise<{ server: Server; url: string }> {
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new UsageError(`Cannot serve: port must be an integer from 0 to 65535, got ${port}`);
  }
  const server = createServer(handler);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(explain(error, { host, port })));
    server.listen(port, host, resolve);
  });
  const { address, port: actual, family } = server.address() as AddressInfo;
  return { server, url: `http://${family === "IPv6" ? `[${address}]` : address}:${actual}` };
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
