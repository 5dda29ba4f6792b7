import type { ServerResponse } from "node:http";

const lingerMs = 2000;
const lingerBytes = 8 * 2 ** 20;

/**
 * Makes an answer the last of its connection while the client may still be sending: says `Connection: close`, ends this
 * side, and throws away what comes for a while. A connection that is closed with bytes unread is reset, and then many
 * clients lose the answer.
 */
export function hangUpAfter(response: ServerResponse): void {
  const { req: request } = response;
  const { socket } = request;
  response.shouldKeepAlive = false;
  let left = lingerBytes;
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) socket.destroy();
  });
  // Node calls this once the last answer is sent; its own way is to close at once.
  socket.destroySoon = () => {
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once("close", () => clearTimeout(timer));
    socket.end();
  };
}
