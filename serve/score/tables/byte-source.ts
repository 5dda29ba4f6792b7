import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { createGunzip, createInflateRaw } from "node:zlib";
import { FailureError, UsageError } from "../../../schemas/errors.ts";

/** Bytes that can be read in pieces without holding the whole. */
export interface ByteSource {
  readonly label: string;
  /** Exactly `length` bytes from `start`; into `target` where one is given. @throws FailureError where they end before */
  read(start: number, length: number, target?: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** @throws UsageError if there is no such file */
async function openFile(file: string): Promise<{ handle: FileHandle; size: number }> {
  try {
    const handle = await open(file, "r");
    const stats = await handle.stat();
    if (!stats.isFile()) {
      await handle.close();
      throw new UsageError(`Cannot score "${file}": it must be a file, got something else`, { code: "no_file" });
    }
    return { handle, size: stats.size };
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const actual = code === "ENOENT" ? "nothing there" : String(code);
    throw new UsageError(`Cannot score "${file}": it must be a readable file, got ${actual}`, {
      code: "no_file",
      cause,
    });
  }
}

/** Opens a file for what `build` makes of it, which closes it later; here if `build` fails. */
export async function withFile<T>(
  file: string,
  build: (opened: { handle: FileHandle; size: number }) => Promise<T>,
): Promise<T> {
  const opened = await openFile(file);
  try {
    return await build(opened);
  } catch (error) {
    await opened.handle.close();
    throw error;
  }
}

/** A stretch of a file, read where it is asked for. Closing it leaves the handle open. */
export function fileBytes(handle: FileHandle, label: string, offset = 0): ByteSource {
  return {
    label,
    async read(start, length, target = new Uint8Array(length)) {
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(target, done, length - done, offset + start + done);
        if (bytesRead === 0) throw truncated(label, start + length, start + done);
        done += bytesRead;
      }
      return target.length === length ? target : target.subarray(0, length);
    },
    close: async () => undefined,
  };
}

export interface Packed {
  readonly file: string;
  readonly form: "deflate-raw" | "gzip";
  /** Where the packed bytes begin and end in the file; left out: the whole file. */
  readonly start?: number;
  readonly bytes?: number;
}

/**
 * Compressed bytes, unpacked as they are asked for and never held whole. What lies between two reads is unpacked and
 * dropped, and going back begins again, so blocks should be read in ascending order.
 */
export function packedBytes(packed: Packed, label: string): ByteSource {
  let stream: AsyncIterator<Buffer> | undefined;
  let stop: (() => void) | undefined;
  let position = 0;
  let rest: Uint8Array = new Uint8Array(0);

  function restart(): void {
    stop?.();
    const { file, form, start = 0, bytes } = packed;
    const end = bytes === undefined ? {} : { end: start + bytes - 1 };
    const input = createReadStream(file, { start, ...end, highWaterMark: 1 << 20 });
    const inflate = form === "gzip" ? createGunzip({ chunkSize: 1 << 20 }) : createInflateRaw({ chunkSize: 1 << 20 });
    input.once("error", (error) => inflate.destroy(error));
    input.pipe(inflate);
    stop = () => {
      input.destroy();
      inflate.destroy();
    };
    stream = inflate[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    position = 0;
    rest = new Uint8Array(0);
  }

  /** The next unpacked bytes into `rest`; none at the end. */
  async function refill(): Promise<void> {
    const next = await stream!.next().catch((cause: unknown) => {
      throw new FailureError(`Cannot score "${label}": ${(cause as Error).message}: the file is damaged`, {
        code: "bad_data",
        cause,
      });
    });
    if (next.done !== true) rest = next.value;
  }

  /** Takes the next `length` bytes, into `target` or nowhere. */
  async function take(length: number, target: Uint8Array | undefined, wanted: number): Promise<void> {
    let done = 0;
    while (done < length) {
      if (rest.length === 0) await refill();
      if (rest.length === 0) throw truncated(label, wanted, position);
      const piece = rest.subarray(0, length - done);
      target?.set(piece, done);
      done += piece.length;
      position += piece.length;
      rest = rest.subarray(piece.length);
    }
  }

  return {
    label,
    async read(start, length, target = new Uint8Array(length)) {
      if (stream === undefined || start < position) restart();
      await take(start - position, undefined, start + length);
      await take(length, target, start + length);
      // One step ahead: gzip compares its checksum behind the last byte.
      if (rest.length === 0) await refill();
      return target.length === length ? target : target.subarray(0, length);
    },
    async close() {
      stop?.();
    },
  };
}

function truncated(label: string, wanted: number, actual: number): FailureError {
  return new FailureError(
    `Cannot score "${label}": it must have at least ${wanted} bytes, got ${actual}: it is truncated`,
    { code: "bad_data" },
  );
}
