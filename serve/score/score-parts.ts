import type { ScorePart } from "../../schemas/score-manifest.ts";
import { loadFormat } from "./formats/load-format.ts";
import { PartBuilder } from "./part-table.ts";
import type { Place } from "./place.ts";
import type { OpenedPlan } from "./plan.ts";
import { type ScoredBlock, scoreBlock } from "./score-block.ts";
import type { ScoringSession } from "./scoring-session.ts";
import { createRowSums, quantitiesOf } from "./summary.ts";
import { storePart } from "./work-folder.ts";

/** Input bytes of blocks that wait for the session: enough that it never waits, few enough that memory is bounded. */
const AHEAD_BYTES = 24 << 20;
const [FEWEST_AHEAD, MOST_AHEAD] = [2, 16];

export interface PartsOptions {
  readonly opened: OpenedPlan;
  readonly place: Place;
  readonly session: ScoringSession;
  /** Which parts, ascending. */
  readonly parts: readonly number[];
  /** Called after every block with the rows that are done, good or bad. */
  readonly onRows?: (rows: number) => void;
  readonly onPart?: (part: ScorePart) => void;
  /** Ends the work after the part at hand. */
  readonly signal?: AbortSignal;
}

/**
 * Scores parts and stores each. Blocks are read in order, one after another, while earlier ones compute on the session's
 * thread; a finished part is written while the next one computes.
 */
export async function scoreParts(options: PartsOptions): Promise<void> {
  const { opened, place, onRows } = options;
  let writing: Promise<void> = Promise.resolve();
  let builder: PartInProgress | undefined;
  for await (const { part, last, scored } of scoredBlocks(options)) {
    builder ??= new PartInProgress(opened, part);
    builder.add(scored);
    onRows?.(scored.block.rows);
    if (!last) continue;
    const full = builder;
    builder = undefined;
    await writing; // one part waits for the disk at most
    writing = full.store(place).then((record) => options.onPart?.(record));
    writing.catch(() => undefined); // met at the next await
  }
  await writing;
}

interface Step {
  readonly part: number;
  readonly last: boolean;
  readonly scored: ScoredBlock;
}

/** Blocks in order, with as many on their way as the bound allows. */
async function* scoredBlocks({ opened, session, parts, signal }: PartsOptions): AsyncGenerator<Step> {
  const { plan, task, dataset } = opened;
  const settings = {
    routes: [task.model, ...task.standIns],
    otherViews: task.otherViews,
    batch: plan.batch,
    seed: plan.seed,
    resize: plan.resize,
  };
  const inputBytes = task.model.spec.inputs.reduce(
    (sum, { shape, dtype }) => sum + plan.batch * shape.slice(1).reduce((a, b) => a * b, dtype === "uint8" ? 1 : 4),
    0,
  );
  const ahead = Math.min(MOST_AHEAD, Math.max(FEWEST_AHEAD, Math.floor(AHEAD_BYTES / inputBytes)));
  const waiting: Promise<Step>[] = [];
  let reading: Promise<unknown> = Promise.resolve();
  for (const { part, last, first, end } of blocksOf(plan, parts)) {
    if (signal?.aborted === true && first === part * plan.partRows) break;
    const block = reading.then(() => dataset.read(first, end));
    reading = block;
    const step = block.then(async (read) => ({ part, last, scored: await scoreBlock(read, session, settings) }));
    step.catch(() => undefined); // met when its turn comes
    waiting.push(step);
    if (waiting.length > ahead) yield await waiting.shift()!;
  }
  for (const step of waiting) yield await step;
}

function* blocksOf(
  { rows, partRows, batch }: { rows: number; partRows: number; batch: number },
  parts: readonly number[],
): Generator<{ part: number; last: boolean; first: number; end: number }> {
  for (const part of parts) {
    const partEnd = Math.min(rows, (part + 1) * partRows);
    for (let first = part * partRows; first < partEnd; first += batch) {
      const end = Math.min(first + batch, partEnd);
      yield { part, last: end === partEnd, first, end };
    }
  }
}

class PartInProgress {
  readonly #opened: OpenedPlan;
  readonly #part: number;
  readonly #first: number;
  readonly #end: number;
  readonly #rows: PartBuilder;
  readonly #sums;
  readonly #rejects: string[] = [];
  #widestId = 0;

  constructor(opened: OpenedPlan, part: number) {
    const { plan, task, shape } = opened;
    this.#opened = opened;
    this.#part = part;
    this.#first = part * plan.partRows;
    this.#end = Math.min(plan.rows, this.#first + plan.partRows);
    this.#rows = new PartBuilder(shape, this.#end - this.#first);
    this.#sums = createRowSums(quantitiesOf(task.model.spec.outputs));
  }

  add({ block, faults, route, outputs, has }: ScoredBlock): void {
    const { masks, integerIds } = this.#opened.shape;
    for (let at = 0; at < block.rows; at++) {
      const row = block.first + at;
      const id = block.ids[at]!;
      const fault = faults[at] ?? (id === "" ? "its id is missing" : undefined);
      if (fault !== undefined) {
        this.#rejects.push(`${rejectLine({ row, id, integerIds, reason: fault })}\n`);
        continue;
      }
      const found = outputs[route[at]!]!;
      const views = masks.map((name) => has[name.slice("has_".length)]?.[at] === 1);
      this.#rows.add({ id, masks: views, outputs: found, at });
      this.#sums.add(found, at, row);
      if (!integerIds) this.#widestId = Math.max(this.#widestId, [...String(id)].length);
    }
  }

  async store(place: Place): Promise<ScorePart> {
    const { plan, shape, identity } = this.#opened;
    const table = this.#rows.finish();
    const format = await loadFormat(plan.output);
    return storePart(place, {
      data: await format.encodePart(table, { shape, pictures: place.pictures }),
      rejects: this.#rejects.join(""),
      record: {
        part: this.#part,
        plan: identity,
        first: this.#first,
        end: this.#end,
        written: table.rows,
        rejected: this.#rejects.length,
        widestId: this.#widestId,
        sums: this.#sums.finish(),
      },
    });
  }
}

/** A missing id is null; whole numbers are written digit by digit, for they may be longer than a double is exact. */
function rejectLine(of: { row: number; id: string | bigint; integerIds: boolean; reason: string }): string {
  const id = of.id === "" ? "null" : of.integerIds ? String(of.id) : JSON.stringify(of.id);
  return `{"row":${of.row},"id":${id},"reason":${JSON.stringify(of.reason)}}`;
}
