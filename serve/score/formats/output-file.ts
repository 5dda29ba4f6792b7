import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { diskFailure, syncFolder } from "../../../files/disk.ts";

const STEP = 4 << 20;

/** A file that is written from its beginning to its end under a temporary name, hashed on the way, and put in place whole. */
export class OutputFile {
  readonly #file: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  readonly #hash = createHash("sha256");
  #bytes = 0;

  private constructor(file: string, temporary: string, handle: FileHandle) {
    this.#file = file;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  /**
   * @param work folder of the temporary name, on the same disk; what a killed process leaves there goes with it
   * @throws FailureError where the place cannot be written
   */
  static async create(file: string, work: string): Promise<OutputFile> {
    const temporary = path.join(work, `.whole-${path.basename(file)}.tmp-${process.pid}`);
    try {
      return new OutputFile(file, temporary, await open(temporary, "w"));
    } catch (error) {
      throw diskFailure(`write "${file}"`, path.dirname(file), error);
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    try {
      await this.#handle.writeFile(bytes); // from where the last write ended
    } catch (error) {
      throw diskFailure(`write "${this.#file}"`, path.dirname(this.#file), error);
    }
  }

  /** Appends `length` bytes of another file, from `start`. */
  async copy(file: string, start: number, length: number): Promise<void> {
    for await (const piece of pieces(file, start, length)) await this.append(piece);
  }

  async copyWhole(file: string): Promise<void> {
    await this.copy(file, 0, (await stat(file)).size);
  }

  /** @returns bytes and SHA-256 of what is now in place */
  async commit(): Promise<{ bytes: number; sha256: string }> {
    await this.#handle.sync();
    await this.#handle.close();
    await rename(this.#temporary, this.#file);
    await syncFolder(path.dirname(this.#file));
    return { bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }

  async abandon(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await rm(this.#temporary, { force: true });
  }
}

/** A stretch of a file in pieces; each is valid until the next is asked for. */
export async function* pieces(file: string, start: number, length: number): AsyncGenerator<Uint8Array> {
  const handle = await open(file, "r");
  try {
    const buffer = new Uint8Array(Math.min(STEP, length));
    for (let at = 0; at < length; ) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, length - at), start + at);
      if (bytesRead === 0) throw new Error(`Cannot read "${file}": it ends before ${start + length} bytes`);
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
}
