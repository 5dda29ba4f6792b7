import type { FileHandle } from "node:fs/promises";
import { type Disk, realDisk } from "../../files/disk.ts";

/** A disk that takes `room` bytes in all and then writes half of what it is given and fails, as a full one does. */
export function fullDisk(room: number): Disk {
  let left = room;
  const take = async (bytes: Uint8Array, write: (part: Uint8Array) => Promise<void>): Promise<void> => {
    if (bytes.length <= left) {
      left -= bytes.length;
      return write(bytes);
    }
    await write(bytes.subarray(0, bytes.length / 2));
    throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  };
  return {
    write: (file: string, bytes: Uint8Array) => take(bytes, (part) => realDisk.write(file, part)),
    append: (handle: FileHandle, bytes: Uint8Array) => take(bytes, (part) => realDisk.append(handle, part)),
  };
}
