import { afterEach, expect, test, vi } from "vitest";
import type { Device } from "../../../runtime/session.ts";
import { type ChoiceOptions, chooseDevice, type Trial } from "../../../train/engine/choose-device.ts";
import type { CompiledStep } from "../../../train/engine/compile-step.ts";

const step = {} as CompiledStep;

/** What each device would do: seconds a step, a reason why timing ended without any, or a reason why it does not open. */
interface Machine {
  readonly cpu: number;
  readonly webgpu?: number | { late: string };
  readonly cuda?: number;
}

async function choose(machine: Machine) {
  const lines: string[] = [];
  const closed: Device[] = [];
  const deadlines: Record<string, number> = {};
  let timing = 0;
  const open: ChoiceOptions["open"] = async ({ device }) => {
    const found = machine[device];
    if (found === undefined) return `Cannot start device ${device}`;
    const trial: Trial = {
      async time(_feeds, deadline) {
        deadlines[device] = deadline;
        expect(++timing, "one device at a time").toBe(1);
        await Promise.resolve();
        timing--;
        return typeof found === "number" ? found : found.late;
      },
      close: () => void closed.push(device),
    };
    return trial;
  };
  const device = await chooseDevice({ compileFor: () => step, feeds: {}, log: (line) => lines.push(line), open });
  return { device, lines, closed: closed.sort(), deadlines };
}

afterEach(() => vi.unstubAllEnvs());

test("without a GPU it is the CPU, untimed", async () => {
  const { device, lines, deadlines } = await choose({ cpu: 1 });
  expect(device).toBe("cpu");
  expect(lines).toEqual(["Device: cpu (no GPU starts here; --device webgpu or cuda says why)"]);
  expect(deadlines).toEqual({});
});

test("the fastest wins, and the line says by how much", async () => {
  const { device, lines, closed } = await choose({ cpu: 1.8, webgpu: 0.0512, cuda: 0.02 });
  expect(device).toBe("cuda");
  expect(lines).toEqual([
    "Device: cuda, the fastest on this step (cpu 1.80 s a step; cuda 20.0 ms a step; webgpu 51.2 ms a step)",
  ]);
  expect(closed).toEqual(["cpu", "cuda", "webgpu"]);
});

test("a GPU that is hardly faster than the CPU is named as perhaps a software one, also when it wins", async () => {
  vi.stubEnv("VK_ICD_FILENAMES", "");
  const { device, lines } = await choose({ cpu: 0.1, webgpu: 0.09 });
  expect(device).toBe("webgpu");
  expect(lines[0]).toContain("webgpu 90.0 ms a step, perhaps a software GPU");
});

test("a driver that is known to be software is named as such", async () => {
  vi.stubEnv("VK_ICD_FILENAMES", "/usr/lib/chromium/vk_swiftshader_icd.json");
  const { device, lines } = await choose({ cpu: 0.1, webgpu: 4 });
  expect(device).toBe("cpu");
  expect(lines[0]).toContain("webgpu 4.00 s a step, a software GPU");
});

test("a device that takes too long or fails while it is timed loses, and the line says so", async () => {
  const { device, lines, deadlines, closed } = await choose({
    cpu: 2,
    webgpu: { late: "slower than 38 s for 4 steps" },
  });
  expect(device).toBe("cpu");
  expect(lines[0]).toContain("webgpu slower than 38 s for 4 steps");
  expect(deadlines.webgpu).toBe(38);
  expect(closed).toEqual(["cpu", "webgpu"]);
});
