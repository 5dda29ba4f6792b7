import type { ScoreFormat } from "../../../schemas/score-plan.ts";
import type { OutputFormat } from "./output-format.ts";

/** Each loads its library when it is needed. */
export async function loadFormat(format: ScoreFormat): Promise<OutputFormat> {
  switch (format) {
    case "parquet":
      return (await import("./parquet.ts")).parquetFormat;
    case "arrow":
      return (await import("./arrow.ts")).arrowFormat;
    case "npz":
      return (await import("./npz.ts")).npzFormat;
    case "jsonl":
      return (await import("./jsonl.ts")).jsonlFormat;
    case "png":
      return (await import("./pictures.ts")).picturesFormat;
  }
}
