import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { UsageError } from "../../schemas/errors.ts";
import type { Source } from "./tables/open-table.ts";

interface ScoreFlags {
  readonly model?: string;
  readonly task?: string;
  readonly in?: readonly string[];
  readonly out?: string;
  readonly format?: string;
  readonly map?: readonly string[];
  readonly mapping?: string;
  readonly id?: string;
  readonly partial?: true;
  readonly resize?: true;
  readonly batch: string;
  readonly partRows?: string;
  readonly seed: string;
  readonly device: string;
  readonly threads?: string;
  readonly resume?: true;
  readonly overwrite?: true;
  readonly shard?: string;
  readonly queue?: string;
  readonly maxBad: string;
  readonly hash: boolean;
  readonly quiet?: true;
  readonly json?: true;
}

const examples = `
Examples:
  $ cominfo score --model models/rotated-mnist --task encode --in pairs.npz --out codes.parquet
  $ cominfo score --model models/rotated-mnist --task common_information --in left.npy --in right.npy \\
      --map view_1=left --map view_2=right --out rates.jsonl
  $ cominfo score --model models/rotated-mnist --task encode_1 --resize --in t10k-images-idx3-ubyte.gz --out codes.npz
  $ cominfo score --model models/rotated-mnist --task conditional_1to2 --in view_1=photos/ --out translated/ --format png
  $ cominfo score --model BUNDLE --task encode --in cells.h5ad --map view_1=X --map view_2=obsm/protein --out codes.parquet
  $ cominfo score ... --resume                      # after a crash: only what is missing is made
  $ cominfo score ... --shard 3/16                  # on 16 machines that share a disk, then:
  $ cominfo score merge codes.parquet
  $ cominfo score ... --queue redis://host:6379     # plans; \`cominfo worker --queue redis://host:6379\` computes

Inputs: .npz .npy .parquet .arrow .csv .jsonl .h5 .h5ad, IDX, folders of PNG files. Several --in are joined by id.
Exit codes: 0 done, 1 failed or more rows rejected than --max-bad, 2 a request that cannot be met, 130 interrupted.
`;

/** Adds `cominfo score` and `cominfo score merge`. */
export function addScoreCommand(program: Command): void {
  const score = program
    .command("score")
    .description("scores a dataset of any size by a task of a bundle")
    .option("--model <bundle>", "folder of a bundle, for instance models/rotated-mnist")
    .option("--task <name>", "a task of the bundle: encode, common_information, conditional_1to2, ...")
    .option("--in <source>", "a file or folder, or NAME=PATH; may be repeated", collect)
    .option("--out <destination>", ".parquet, .arrow, .npz or .jsonl; another name is a folder")
    .option("--format <name>", "parquet, arrow, npz, jsonl or png, where --out is a folder (default: parquet)")
    .option("--map <input=column>", "COLUMN, SOURCE:COLUMN or a pattern, px_*; may be repeated", collect)
    .option("--mapping <file>", 'JSON: {"id": COLUMN, "inputs": {INPUT: COLUMN or [COLUMNS]}}')
    .option("--id <column>", "column that names the rows (default: their numbers, or file names)")
    .option("--partial", "rows that lack a view are scored by the task of the other one, encode_1 for encode")
    .option("--resize", "pictures of another size are resized (bilinear)")
    .option("--batch <rows>", "rows a run", "128")
    .option("--part-rows <rows>", "rows that are written at once, and lost at most by a crash (default: some MiB)")
    .option("--seed <number>", "of noise inputs that no column gives", "0")
    .option("--device <name>", "cpu, webgpu or cuda", "cpu")
    .option("--threads <number>", "threads inside an operator (default: all cores)")
    .option("--resume", "go on with an unfinished run")
    .option("--overwrite", "replace what is at --out")
    .option("--shard <i/n>", "only the i-th of n shares, i from 0; `score merge` puts them together")
    .option("--queue <url>", "Redis, for instance redis://127.0.0.1:6379: `cominfo worker` computes")
    .option("--max-bad <rows>", "rejected rows that are not a failure: a number, or a share as 1%", "0")
    .option("--no-hash", "leave the SHA-256 of whole inputs out of the manifest")
    .option("--quiet", "no progress")
    .option("--json", "one line of JSON on standard output at the end")
    .addHelpText("after", examples)
    .action(runCommand);
  score
    .command("merge")
    .description("puts the parts of all shards together")
    .argument("<destination>", "--out of the shards")
    .addHelpText("after", "\n--no-hash and --json are those of `cominfo score`.")
    .action(async (destination: string) => {
      const { mergeCommand } = await import("./merge-command.ts");
      await mergeCommand(destination, score.opts<ScoreFlags>()); // it takes them behind `merge` too
    });
}

async function runCommand(flags: ScoreFlags): Promise<void> {
  const { parseDevice } = await import("../../runtime/devices.ts");
  const { placeOf } = await import("./place.ts");
  const { runScore } = await import("./run-score.ts");
  const { createRowProgress, noProgress } = await import("./progress.ts");
  const { describeOutcome, outcomeJson } = await import("./report.ts");
  const { parseShard } = await import("./shards.ts");
  const task = required("--task", flags.task);
  const sources = required("--in", flags.in).map(parseSource);
  const place = placeOf(required("--out", flags.out), { task, format: flags.format });
  const maxBad = parseMaxBad(flags.maxBad);
  const request = {
    bundle: required("--model", flags.model),
    task,
    sources,
    mapping: await readMapping(flags),
    device: parseDevice(flags.device),
    batch: whole("--batch", flags.batch, 1),
    partRows: flags.partRows === undefined ? undefined : whole("--part-rows", flags.partRows, 1),
    seed: whole("--seed", flags.seed, 0),
    partial: flags.partial ?? false,
    resize: flags.resize ?? false,
  };
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  process.once("SIGTERM", () => stop.abort());
  const outcome = await runScore(request, place, {
    resume: flags.resume ?? false,
    overwrite: flags.overwrite ?? false,
    hash: flags.hash,
    progress: flags.quiet ? noProgress : createRowProgress(process.stderr),
    signal: stop.signal,
    ...(flags.threads === undefined ? {} : { threads: whole("--threads", flags.threads, 1) }),
    ...(flags.queue === undefined ? {} : { queue: flags.queue }),
    ...(flags.shard === undefined ? {} : { shard: parseShard(flags.shard) }),
  });
  if (outcome.wasComplete && !flags.quiet) console.error(`"${place.file}" is there already, and complete`);
  if (flags.json) console.log(outcomeJson(outcome));
  else if (!flags.quiet) console.error(describeOutcome(outcome));
  if (outcome.interrupted) {
    console.error("Interrupted after a part; the same command with --resume goes on");
    process.exitCode = 130;
    return;
  }
  // Of a merged output nobody knows any more whose the rejected rows were, and the merge has let them pass.
  if (outcome.wasComplete && flags.shard !== undefined) return;
  if (outcome.rows.rejected > maxBad(outcome.rows.total)) {
    const where = outcome.manifest === undefined ? "the parts" : `"${place.rejects}"`;
    console.error(
      `Cannot score all rows: at most ${flags.maxBad} may be rejected (--max-bad), got ${outcome.rows.rejected}; ${where} says why`,
    );
    process.exitCode = 1;
  }
}

async function readMapping({ mapping, map = [], id }: ScoreFlags) {
  const { scoreMappingSchema } = await import("../../schemas/score-plan.ts");
  const { validate } = await import("../../schemas/validate.ts");
  const action = `read mapping "${mapping}"`;
  const read = mapping === undefined ? { inputs: {} } : validate(scoreMappingSchema, readJson(mapping, action), action);
  const given = map.map((text) => {
    const at = text.indexOf("=");
    if (at > 0) return [text.slice(0, at), text.slice(at + 1)] as const;
    throw new UsageError(`Cannot map columns: --map must be INPUT=COLUMN, got "${text}"`);
  });
  const twice = given.find(([input], i) => given.findIndex(([other]) => other === input) !== i);
  if (twice !== undefined) {
    throw new UsageError(`Cannot map columns: --map must name each input once, got "${twice[0]}" twice`);
  }
  return { ...read, ...(id === undefined ? {} : { id }), inputs: { ...read.inputs, ...Object.fromEntries(given) } };
}

function readJson(file: string, action: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new UsageError(`Cannot ${action}: it must be a JSON file, got: ${(cause as Error).message}`, { cause });
  }
}

/** `view_1=left.npy`, or a path alone. */
function parseSource(text: string): Source {
  const match = /^([A-Za-z_]\w*)=(.+)$/.exec(text);
  return match === null ? { name: undefined, path: text } : { name: match[1]!, path: match[2]! };
}

function required<T>(flag: string, value: T | undefined): T {
  if (value !== undefined) return value;
  throw new UsageError(`Cannot score: ${flag} is missing; see \`cominfo score --help\``);
}

export function whole(flag: string, text: string, least: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && Number.isSafeInteger(value)) return value;
  throw new UsageError(`Cannot score: ${flag} must be a whole number of at least ${least}, got "${text}"`);
}

/** Rejected rows that are allowed among so many. */
function parseMaxBad(text: string): (rows: number) => number {
  const share = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (share !== null) return (rows) => (rows * Number(share[1])) / 100;
  const most = whole("--max-bad", text, 0);
  return () => most;
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
