import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test, vi } from "vitest";
import { diskFailure, realDisk } from "../../../files/disk.ts";
import { openRunFolder } from "../../../train/engine/run-folder.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { toyRecipe } from "./toy-family.ts";

const kill = vi.hoisted(() => ({ whileDeleting: "" }));

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const rm: typeof real.rm = async (target, options) => {
    const file = String(target);
    if (kill.whileDeleting === "" || !path.basename(file).startsWith(kill.whileDeleting)) return real.rm(file, options);
    kill.whileDeleting = "";
    await real.rm(path.join(file, "recipe.json")); // the first of its files
    throw new Error("killed");
  };
  return { ...real, rm };
});

test("a folder that cannot be made where it should be is one line: Node says ENOENT on a read-only file system", () => {
  const refused = Object.assign(new Error("ENOENT: no such file or directory, mkdir"), { code: "ENOENT" });
  expect(diskFailure("start training", "runs/x", refused)).toMatchObject({
    name: "FailureError",
    message: expect.stringContaining('"runs/x" must be there or possible to make, got neither'),
  });
});

test("a replaced run that is half deleted when the process is killed never comes back under the new recipe", async () => {
  const folder = path.join(temporaryFolder(), "run");
  mkdirSync(path.join(folder, "checkpoints", "step-000010"), { recursive: true });
  writeFileSync(path.join(folder, "recipe.json"), JSON.stringify(toyRecipe()));
  const anew = await openRunFolder(folder, { resume: false, force: true, disk: realDisk });
  await anew.writeRecipe(toyRecipe({ seed: 9 }));
  kill.whileDeleting = "replaced";
  await expect(anew.begun()).rejects.toThrow("killed");
  anew.release();

  const again = await openRunFolder(folder, { resume: true, force: false, disk: realDisk });
  again.release();
  expect(JSON.parse(readFileSync(path.join(folder, "recipe.json"), "utf8"))).toEqual(toyRecipe({ seed: 9 }));
  expect(existsSync(path.join(folder, "checkpoints"))).toBe(false);
  expect(readdirSync(folder)).toEqual(["recipe.json"]);
});
