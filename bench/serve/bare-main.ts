import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * A server that reads each body and answers as many bytes as the encoder's answer has, with nothing in between: what no
 * server on Node's `http` can do without, in time and in latency, on this machine and under this load.
 */

const answer = Buffer.alloc(400, "x");

const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    response.writeHead(200, ["Content-Type", "application/octet-stream", "Content-Length", String(answer.length)]);
    response.end(answer);
  });
});
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
