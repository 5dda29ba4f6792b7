import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { builtFile } from "../../../files/built-file.ts";

test.skipIf(process.platform === "win32")(
  "a run of more parts than a process may have files open is put together",
  () => {
    const work = mkdtempSync(path.join(tmpdir(), "cominfo-many-parts-"));
    const [identity, parts] = ["0".repeat(64), 600];
    for (let part = 0; part < parts; part++) {
      const rows = { first: part, end: part + 1, written: 1, rejected: 0, widestId: 0 };
      const record = { part, plan: identity, ...rows, bytes: 1, sums: { rows: 1, quantities: {} } };
      writeFileSync(path.join(work, `part-${String(part).padStart(6, "0")}.json`), JSON.stringify(record));
    }
    const script = `
    const { readParts } = await import(${JSON.stringify(builtFile("serve/score/work-folder").href)});
    const found = await readParts({ work: ${JSON.stringify(work)}, format: "jsonl" }, { parts: ${parts}, identity: "${identity}" });
    console.log(found.map(({ part }) => part).join(" "));`;
    const flags = ["--input-type=module", "--eval", script];
    const found = execFileSync("bash", ["-c", 'ulimit -n 128; exec "$0" "$@"', process.execPath, ...flags], {
      encoding: "utf8",
    });
    expect(found.trim()).toBe([...Array(parts).keys()].join(" "));
    rmSync(work, { recursive: true });
  },
);
