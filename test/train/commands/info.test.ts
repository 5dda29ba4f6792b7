import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Command } from "commander";
import { afterEach, expect, test } from "vitest";
import { chanceMutualInformationBits } from "../../../information/chance-mutual-information.ts";
import { FailureError, UsageError } from "../../../schemas/errors.ts";
import { columnsReportSchema, infoReportSchema } from "../../../schemas/info-report.ts";
import { validate } from "../../../schemas/validate.ts";
import { addInfoCommand } from "../../../train/commands/info.ts";

import { stream } from "../../../train/random.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function written(text: string): string {
  folders.push(mkdtempSync(path.join(tmpdir(), "cominfo-info-")));
  const file = path.join(folders.at(-1)!, "table.csv");
  writeFileSync(file, text);
  return file;
}

async function cominfo(...words: string[]): Promise<string> {
  let printed = "";
  let help = "";
  const program = new Command()
    .exitOverride()
    .configureOutput({ writeErr: () => {}, writeOut: (text) => (help += text) });
  addInfoCommand(program, (text) => (printed += text));
  for (const command of program.commands) {
    command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: (text) => (help += text) });
  }
  await program.parseAsync(["info", ...words], { from: "user" }).catch((error: { code?: string }) => {
    if (error.code !== "commander.helpDisplayed") throw error;
  });
  return printed || help;
}

/** Every report that a test reads keeps the contract. */
const report = async (...words: string[]) =>
  validate(infoReportSchema, JSON.parse(await cominfo(...words, "--json")), "read the report");
const columns = ["--x", "x1", "--y", "x2"];
const and = "x1,x2,y\n0,0,0\n0,1,0\n1,0,0\n1,1,1\n";
const redundantXor = `x1,x2,y\n${["r", "R"].flatMap((bit) => ["00,0", "01,1", "10,1", "11,0"].map((row) => `${bit}${row[0]},${bit}${row[1]},${bit}${row[3]}`)).join("\n")}\n`;

test("two columns: entropies, mutual, Gacs-Korner and Wyner information of the rows", async () => {
  const found = await report(written(redundantXor), ...columns);
  expect(found).toMatchObject({ rows: 8, x: "x1", y: "x2", gacsKornerBits: 1, gacsKornerValues: 2 });
  expect(found.entropyBits).toEqual({ x: 2, y: 2, joint: 3 });
  expect(found.mutualInformationBits).toBe(1);
  expect(found.wyner).toMatchObject({ bits: 1, gapBits: 0, converged: true });
  expect(found.mutualInformationBiasBits).toBeCloseTo(chanceMutualInformationBits([2, 2, 2, 2], [2, 2, 2, 2]), 12);
  expect(found).not.toHaveProperty("decompositions");
});

test("a target adds what the columns tell about it, and four decompositions", async () => {
  const found = await report(written(and), ...columns, "--target", "y");
  expect(found.informationAboutTargetBits!.both).toBeCloseTo(0.8113, 4);
  expect(found.informationAboutTargetBits!.x).toBeCloseTo(0.3113, 4);
  const redundant = found.decompositions!.map((parts) => ("notComputed" in parts ? undefined : parts.redundantBits));
  expect(found.decompositions!.map(({ measure }) => measure)).toEqual(["I_and", "I_GH", "I_min", "BROJA"]);
  for (const [k, bits] of [0, 0.1226, 0.3113, 0.3113].entries()) expect(redundant[k]).toBeCloseTo(bits, 4);
});

test("the table for a person is in bits, aligned, and names the columns", async () => {
  const text = await cominfo(written(and), ...columns, "--target", "y");
  expect(text).toBe(`4 rows, all figures in bits

H(x1)                           1.0000
H(x2)                           1.0000
H(x1, x2)                       2.0000
H(x1 | x2)                      1.0000
H(x2 | x1)                      1.0000
Gacs-Korner common information  0.0000  one component
mutual information              0.0000  independent columns would show 0.3333 with so many rows
Wyner common information        0.0000  exact
H(y)                            0.8113
I(x1; y)                        0.3113
I(x2; y)                        0.3113
I(x1, x2; y)                    0.8113

about y  redundant  only x1  only x2  synergistic
I_and       0.0000   0.3113   0.3113       0.1887
I_GH        0.1226   0.1887   0.1887       0.3113
I_min       0.3113   0.0000   0.0000       0.5000
BROJA       0.3113   0.0000   0.0000       0.5000`);
});

test("quoted fields, a byte order mark, Windows line ends and empty lines are read (RFC 4180)", async () => {
  const text = '\ufeff"the ""x"", quoted",y\r\n"a, b",0\r\n\r\n"c\nd",1\r\n';
  const found = await report(written(text), "--x", 'the "x", quoted', "--y", "y");
  expect(found).toMatchObject({ rows: 2, mutualInformationBits: 1, gacsKornerBits: 1 });
});

test("Wyner's figure repeats with its seed and says what is proved of it", async () => {
  const file = written("a,b\n0,0\n0,0\n0,0\n0,1\n1,0\n1,1\n1,1\n1,1\n");
  const found = await report(file, "--x", "a", "--y", "b");
  expect(await report(file, "--x", "a", "--y", "b", "--seed", "0")).toEqual(found);
  // A doubly symmetric binary source with a = 1/4.
  expect(found.wyner).toMatchObject({ bits: expect.closeTo(0.6095, 4), lowerBits: expect.closeTo(0.1887, 4) });
  expect(await cominfo(file, "--x", "a", "--y", "b")).toContain("0.6095  at least 0.1887 proved, 0.6095 by duality");
});

test("a figure beyond the exact methods' reach is left out with its reason, the others stand", async () => {
  const random = stream(1, "rows");
  const rows = Array.from({ length: 3000 }, () => [17, 17, 6].map((size) => random.integer(size)).join(","));
  const file = written(`x1,x2,y\n${rows.join("\n")}\n`);
  const found = await report(file, ...columns, "--target", "y");
  expect(found.mutualInformationBits).toBeGreaterThan(0);
  expect(found.wyner).toEqual({ notComputed: expect.stringContaining("must have at most 256 possible cells") });
  const [, griffithHo, minimum, broja] = found.decompositions!;
  expect(griffithHo).toEqual({ measure: "I_GH", notComputed: expect.stringContaining("at most 60 outcomes") });
  expect(minimum).toHaveProperty("redundantBits");
  expect(broja).toHaveProperty("redundantBits");
  const text = await cominfo(file, ...columns, "--target", "y");
  expect(text).toContain("I_GH     Cannot compute the Griffith-Ho redundancy");
  expect(text).not.toContain("NaN");
});

test("rows that are counted are those rows so many times", async () => {
  const file = written("a,b,times\n0,0,5\n0,1,2\n1,1,0\n1,1,2\n");
  const counted = await report(file, "--x", "a", "--y", "b", "--count", "times");
  const rows = [...Array.from({ length: 5 }, () => "0,0"), "0,1", "0,1", "1,1", "1,1"];
  expect(counted).toEqual(await report(written(`a,b\n${rows.join("\n")}\n`), "--x", "a", "--y", "b"));
  expect(counted.rows).toBe(9);
});

test("a distribution has no number of rows and no bias, and columns that are not measured are summed over", async () => {
  const file = written("a,b,c,p\n0,0,0,0.25\n0,0,1,0.25\n0,1,0,0.25\n1,1,1,0.25\n");
  const found = await report(file, "--x", "a", "--y", "b", "--probability", "p");
  expect(found.entropyBits.joint).toBeCloseTo(1.5, 12);
  expect(found.mutualInformationBits).toBeCloseTo(0.3113, 4);
  expect(found).not.toHaveProperty("rows");
  expect(found).not.toHaveProperty("mutualInformationBiasBits");
  const text = await cominfo(file, "--x", "a", "--y", "b", "--probability", "p");
  expect(text).toMatch(/^A distribution, all figures in bits\n/);
  expect(text).toMatch(/mutual information +0\.3113\n/);
  expect(await cominfo(file, "--columns", "a,b,c", "--probability", "p")).toMatch(/^A distribution/);
});

const constant: [string, string, string[]][] = [
  ["both columns", "x1,x2,y\na,0,u\na,0,v\n", ["--target", "y"]],
  ["a row alone", "x1,x2,y\na,0,u\n", ["--target", "y"]],
  ["a row alone, counted", "x1,x2,y,n\na,0,u,3\n", ["--target", "y", "--count", "n"]],
  ["a certain row", "x1,x2,y,p\na,0,u,1\n", ["--target", "y", "--probability", "p"]],
];

test.each(constant)("%s without a second value: every figure of what is common is 0", async (_, text, words) => {
  const file = written(text);
  const found = await report(file, ...columns, ...words, "--slack", "0.1", "--weight", "4");
  expect(found).toMatchObject({
    entropyBits: { x: 0, y: 0, joint: 0 },
    conditionalEntropyBits: { xGivenY: 0, yGivenX: 0 },
    mutualInformationBits: 0,
    gacsKornerBits: 0,
    gacsKornerValues: 1,
    wyner: { bits: 0, lowerBits: 0, dualBits: 0, upperBits: 0, gapBits: 0, converged: true },
    approximate: { ofX: { bits: 0, leakBits: 0, values: 1 }, ofY: { bits: 0, leakBits: 0, values: 1 } },
    stochastic: { objectiveBits: 0, informationBits: 0, disagreementBits: 0 },
    informationAboutTargetBits: { x: 0, y: 0, both: 0 },
  });
  for (const parts of found.decompositions!) {
    expect(parts).toMatchObject({ redundantBits: 0, uniqueBits: [0, 0], synergisticBits: 0, totalBits: 0, gapBits: 0 });
  }
  expect(await cominfo(file, ...columns, ...words)).not.toMatch(/NaN|Infinity|Cannot|1 rows/);
});

test("one constant column of two: the other keeps its entropy, and nothing is common", async () => {
  const file = written("x1,x2,y\na,0,u\na,1,v\na,1,v\n");
  const found = await report(file, ...columns, "--target", "y", "--weight", "4");
  expect(found.entropyBits).toMatchObject({ x: 0, y: expect.closeTo(0.9183, 4), joint: expect.closeTo(0.9183, 4) });
  expect(found).toMatchObject({ mutualInformationBits: 0, gacsKornerBits: 0, wyner: { bits: 0, converged: true } });
  const stochastic = found.stochastic!;
  if ("notComputed" in stochastic) throw new Error(stochastic.notComputed);
  expect(stochastic.objectiveBits).toBeCloseTo(0, 12);
  for (const parts of found.decompositions!) {
    expect(parts).toMatchObject({ redundantBits: 0, uniqueBits: [0, expect.closeTo(0.9183, 4)], synergisticBits: 0 });
  }
});

test("a constant target: all decompositions are 0, of tables beyond the exact methods' reach too", async () => {
  const rows = Array.from({ length: 500 }, (_, i) => `${i % 23},${i},u`);
  for (const text of [and.replaceAll(/[01]\n/g, "u\n"), `x1,x2,y\n${rows.join("\n")}\n`]) {
    const found = await report(written(text), ...columns, "--target", "y");
    expect(found).toMatchObject({
      entropyBits: { target: 0 },
      informationAboutTargetBits: { x: expect.closeTo(0, 12), y: expect.closeTo(0, 12), both: expect.closeTo(0, 12) },
    });
    expect(found.decompositions).toHaveLength(4);
    for (const parts of found.decompositions!) {
      expect(parts).toMatchObject({ redundantBits: 0, uniqueBits: [0, 0], synergisticBits: 0, gapBits: 0 });
    }
  }
});

test("several columns of which all are constant share nothing", async () => {
  const found = JSON.parse(await cominfo(written("a,b,c\nk,l,m\n"), "--columns", "a,b,c", "--json"));
  expect(found).toMatchObject({
    rows: 1,
    entropyBits: [0, 0, 0],
    totalCorrelationBits: 0,
    dualTotalCorrelationBits: 0,
  });
  expect(found).toMatchObject({ jointEntropyBits: 0, gacsKornerBits: 0, gacsKornerValues: 1 });
});

const faults: [string, string, string[], typeof UsageError | typeof FailureError, string][] = [
  [
    "an unknown column",
    and,
    ["--x", "x1", "--y", "x3"],
    UsageError,
    'the column must be one of x1, x2, y, got "x3", did you mean "x1"?',
  ],
  [
    "an unknown target",
    and,
    [...columns, "--target", "label"],
    UsageError,
    'the column must be one of x1, x2, y, got "label"',
  ],
  [
    "one column twice",
    and,
    ["--x", "x1", "--y", "x1"],
    UsageError,
    '--x, --y and --target must name different columns, got "x1" twice',
  ],
  [
    "a count that is none",
    "x1,x2,n\n0,1,2\n1,0,1.5\n",
    [...columns, "--count", "n"],
    FailureError,
    'every value of "n" must be a whole number of at least 0, got "1.5" in row 2',
  ],
  [
    "no count above 0",
    "x1,x2,n\n0,1,0\n1,0,0\n",
    [...columns, "--count", "n"],
    FailureError,
    'a count in "n" must be above 0, got none',
  ],
  [
    "a negative probability",
    "x1,x2,p\n0,1,-0.5\n1,0,1.5\n",
    [...columns, "--probability", "p"],
    FailureError,
    'every value of "p" must be a probability of at least 0, got "-0.5" in row 1',
  ],
  [
    "a probability that is no number",
    "x1,x2,p\n0,1,NaN\n1,0,1\n",
    [...columns, "--probability", "p"],
    FailureError,
    'every value of "p" must be a probability of at least 0, got "NaN" in row 1',
  ],
  [
    "probabilities of another sum",
    "x1,x2,p\n0,1,0.5\n1,0,0.25\n",
    [...columns, "--probability", "p"],
    FailureError,
    'the probabilities in "p" must sum to 1 within 1e-9, got 0.75',
  ],
  ["an empty file", "", columns, FailureError, "it must have a header line, got an empty file"],
  ["a header alone", "x1,x2\n", columns, FailureError, "there must be rows below the header, got none"],
  ["a name twice", "x1,x1\n0,1\n", columns, FailureError, 'every column name must occur once, got "x1" twice'],
  [
    "an empty cell",
    "x1,x2\n0,1\n1,\n",
    columns,
    FailureError,
    'every row must have a value of "x2", got an empty cell in row 2',
  ],
  [
    "a short row",
    "x1,x2\n0,1\n1\n",
    columns,
    FailureError,
    "it must be comma-separated values, got: Invalid Record Length",
  ],
  ["an open quote", 'x1,x2\n"0,1\n', columns, FailureError, "it must be comma-separated values, got: Quote Not Closed"],
];

test.each(faults)("%s is told in one line", async (_, text, words, kind, message) => {
  const failure = (await cominfo(written(text), ...words).catch((error: unknown) => error)) as Error;
  expect(failure).toBeInstanceOf(kind);
  expect(failure.message).toContain(message);
  expect(failure.message).not.toContain("\n");
});

test("a missing file, a missing column name and a bad seed are the caller's faults", async () => {
  await expect(cominfo("no-such.csv", ...columns)).rejects.toThrow(
    'Cannot read table "no-such.csv": it must be a readable file, got ENOENT',
  );
  await expect(cominfo(written(and), "--x", "x1")).rejects.toThrow(
    "two columns must be named by --x and --y, or several by --columns, got no --y",
  );
  const seed = cominfo(written(and), ...columns, "--seed", "-1");
  await expect(seed).rejects.toThrow('--seed must be a whole number of at least 0, got "-1"');
});

test("several columns: total correlation, its dual and what all of them share", async () => {
  // Each column is a pair of three fair bits a, b, c; all three share a.
  const text = `x,y,z\n${Array.from({ length: 8 }, (_, i) => [i & 1, (i >> 1) & 1, (i >> 2) & 1])
    .map(([a, b, c]) => `${a}${b},${a}${b}${c},${a}${c}`)
    .join("\n")}\n`;
  const file = written(text);
  const found = validate(
    columnsReportSchema,
    JSON.parse(await cominfo(file, "--columns", "x, y, z", "--json")),
    "read the report",
  );
  expect(found).toMatchObject({ rows: 8, columns: ["x", "y", "z"], entropyBits: [2, 3, 2], jointEntropyBits: 3 });
  expect(found.totalCorrelationBits).toBeCloseTo(4, 12);
  expect(found.dualTotalCorrelationBits).toBeCloseTo(3, 12);
  expect(found).toMatchObject({ gacsKornerBits: 1, gacsKornerValues: 2 });
  const lines = await cominfo(file, "--columns", "x,y,z");
  expect(lines).toMatch(/total correlation +4\.0000\n/);
  expect(lines).toMatch(/Gacs-Korner common information +1\.0000 {2}2 components$/);
});

test("--columns is one line of CSV: a name with a comma or a quote stands in quotes, which keep its spaces", async () => {
  const file = written('a,"b,c"," d ""e"""\n0,0,0\n1,1,1\n');
  const names = async (value: string) => JSON.parse(await cominfo(file, "--columns", value, "--json")).columns;
  expect(await names('a,"b,c"')).toEqual(["a", "b,c"]);
  expect(await names(' "b,c" , " d ""e""" ')).toEqual(["b,c", ' d "e"']);
  await expect(cominfo(file, "--columns", "a,b,c")).rejects.toThrow('got "b"');
});

test("slack and weight add the approximate and the stochastic form, which see past one odd row", async () => {
  const rows = [...Array.from({ length: 50 }, () => "0,0"), ...Array.from({ length: 49 }, () => "1,1"), "0,1"];
  const file = written(`a,b\n${rows.join("\n")}\n`);
  const flags = ["--x", "a", "--y", "b", "--slack", "0.1", "--weight", "4"];
  const found = await report(file, ...flags);
  expect(found.gacsKornerBits).toBe(0);
  expect(found.approximate).toMatchObject({
    slackBits: 0.1,
    ofX: { bits: expect.closeTo(0.9997, 3), values: 2 },
    ofY: { bits: expect.closeTo(1, 3), values: 2 },
  });
  const stochastic = found.stochastic!;
  if ("notComputed" in stochastic) throw new Error(stochastic.notComputed);
  const { objectiveBits, informationBits, disagreementBits } = stochastic;
  expect(objectiveBits).toBeCloseTo(informationBits - 4 * disagreementBits, 12);
  expect(objectiveBits).toBeGreaterThan(0.5);
  expect(objectiveBits).toBeLessThan(1);
  const text = await cominfo(file, ...flags);
  expect(text).toMatch(/function of a, slack 0\.1 +0\.9997 {2}b leaves 0\.0\d+ open/);
  expect(text).toContain("stochastic Gacs-Korner, at least");
});

test("options that do not go together, and numbers out of range, are told in one line", async () => {
  const file = written(and);
  const wrong: [string[], string][] = [
    [["--columns", "x1,x2", "--x", "x1"], "--columns must come without --x, --y, --target, --slack and --weight"],
    [[...columns, "--count", "x1"], '--count must name a column of its own, got "x1", which is measured'],
    [[...columns, "--count", "y", "--probability", "y"], "rows must have either --count or --probability, got both"],
    [["--columns", "x1"], '--columns must name at least two columns, got "x1"'],
    [["--columns", ""], '--columns must name at least two columns, got ""'],
    [
      ["--columns", 'x1,"x2'],
      '--columns must be names by commas, one with a comma or a quote in double quotes, got "x1,"x2"',
    ],
    [["--columns", "x1\nx2"], "--columns must be names by commas"],
    [["--columns", "x1,x1"], '--columns must name different columns, got "x1" twice'],
    [["--columns", "x1,x4"], 'the column must be one of x1, x2, y, got "x4"'],
    [[...columns, "--slack", "-1"], '--slack must be a number of at least 0, got "-1"'],
    [[...columns, "--weight", "much"], '--weight must be a number from 0 to 1000000000000, got "much"'],
    [[...columns, "--weight", "1e308"], '--weight must be a number from 0 to 1000000000000, got "1e308"'],
    [[...columns, "--starts", "0"], '--starts must be a whole number of at least 1, got "0"'],
  ];
  for (const [words, message] of wrong) {
    const failure = (await cominfo(file, ...words).catch((error: unknown) => error)) as Error;
    expect(failure).toBeInstanceOf(UsageError);
    expect(failure.message).toContain(message);
  }
});

test("help shows the options and an example", async () => {
  const help = await cominfo("--help");
  expect(help).toContain("cominfo info table.csv --x left --y right --target label");
  expect(help).toContain("cominfo info table.csv --columns left,middle,right");
  expect(help).toContain("cominfo info table.csv --columns 'left,\"height, cm\"'");
  expect(help).toContain("--target <column>");
});
