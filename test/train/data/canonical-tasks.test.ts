import { expect, test } from "vitest";
import { openSource } from "../../../train/data/open-source.ts";
import { stream } from "../../../train/random.ts";

const source = openSource({ source: "canonical-tasks" });
const draw = (size: number) => source.draw(size, stream(1, "data", 3)).tensors;

test("symbols are plain integers as the authors feed them: y = 2 x1 + x2 for UNQ, x1 x2 for AND, parity and common bit for RDNXOR", () => {
  const tensors = draw(500);
  for (let i = 0; i < 500; i++) {
    const of = (task: string): number[] =>
      ["x1", "x2", "y"].map((name) => tensors[`${task}_${name}`]!.data[i] as number);
    const [unique, and, xor] = [of("UNQ"), of("AND"), of("RDNXOR")] as [number[], number[], number[]];
    expect(unique[2]).toBe(2 * unique[0]! + unique[1]!);
    expect(and[2]).toBe(and[0]! * and[1]!);
    expect(xor[0]! >> 1).toBe(xor[1]! >> 1);
    expect(xor[2]).toBe((xor[0]! & 2) + ((xor[0]! ^ xor[1]!) & 1));
  }
});

test("IMPERFECTRDN flips x2 once in 1,000 draws, when x1 is 0, and never y", () => {
  const { IMPERFECTRDN_x1: x1, IMPERFECTRDN_x2: x2, IMPERFECTRDN_y: y } = draw(200_000);
  let flips = 0;
  for (let i = 0; i < 200_000; i++) {
    expect(y!.data[i]).toBe(x1!.data[i]);
    if (x1!.data[i] === x2!.data[i]) continue;
    expect(x1!.data[i]).toBe(0);
    flips++;
  }
  expect(flips).toBeGreaterThan(140); // 200 expected, deviation 14
  expect(flips).toBeLessThan(260);
});

test("a smaller batch of the same address is the beginning of a larger one", () => {
  const [few, many] = [draw(5), draw(50)];
  for (const [name, tensor] of Object.entries(few)) expect([...many[name]!.data].slice(0, 5)).toEqual([...tensor.data]);
});

test("tasks that are not asked for are not drawn, an unknown one is refused", () => {
  const one = openSource({ source: "canonical-tasks", tasks: ["AND"] });
  expect(Object.keys(one.draw(2, stream(1)).tensors)).toEqual(["AND_x1", "AND_x2", "AND_y"]);
  expect(() => openSource({ source: "canonical-tasks", tasks: ["NAND"] })).toThrow(
    'Cannot open data source "canonical-tasks": "tasks.0" must be one of UNQ, AND, RDNXOR, IMPERFECTRDN, got "NAND"',
  );
});
