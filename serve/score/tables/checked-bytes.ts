import { crc32 } from "node:zlib";
import { FailureError } from "../../../schemas/errors.ts";
import type { ByteSource } from "./byte-source.ts";

/**
 * Bytes whose CRC-32 is compared when the last of them is read, if all of them were read in order, as in a run of a
 * whole file. A shard begins in the middle and reads unchecked.
 *
 * @throws FailureError from the last read, if the checksum is another
 */
export function checkedBytes(source: ByteSource, { length, crc }: { length: number; crc: number }): ByteSource {
  let seen = 0;
  let sum = 0;
  return {
    ...source,
    async read(start, count, target) {
      const bytes = await source.read(start, count, target);
      const end = start + count;
      if (start <= seen && end > seen) {
        sum = crc32(bytes.subarray(seen - start), sum);
        seen = end;
        if (seen === length && sum !== crc) {
          throw new FailureError(
            `Cannot score "${source.label}": its checksum must fit, got another: the file is damaged`,
            { code: "bad_data" },
          );
        }
      }
      return bytes;
    },
  };
}
