import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** The compiled program as a person runs it. */

const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));

test("a reader who has seen enough ends the program without a word, as `cominfo --help | head -1` does", async () => {
  const child = spawn(process.execPath, [cli, "--help"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy(); // closed before the first byte is written
  let said = "";
  child.stderr.on("data", (part: Buffer) => (said += part.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  expect({ code, said }).toEqual({ code: 0, said: "" });
});

test("an unknown verb is refused with the nearest one and exit code 2", async () => {
  const child = spawn(process.execPath, [cli, "trian"], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (part: Buffer) => (said += part.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  expect(code).toBe(2);
  expect(said).toContain("Did you mean train?");
});
