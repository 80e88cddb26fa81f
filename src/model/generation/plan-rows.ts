import type { ModelConfig } from '../model-config.ts';
import { type BranchedRow, branchedRow } from './branched-row.ts';

/** A context with continuations to choose from. */
export interface ChoicesToRate {
  readonly id: string;
  /** At least one token. */
  readonly context: Int32Array;
  /** At least one token each. */
  readonly continuations: readonly Int32Array[];
  /** So many of the context's first tokens are said to be those of other contexts too. */
  readonly shared: number;
}

/** A row of tokens that rates some of a context's continuations: those from `from` on. */
export interface PlannedRow {
  readonly id: string;
  readonly prefix: Int32Array;
  readonly from: number;
  readonly row: BranchedRow;
}

/** A shared beginning is cached in multiples of this many tokens, so that few shapes arise and none is padded. */
const prefixStep = 64;

/** Continuations may make a row as long again as its context, or so long. */
const fewTokens = 128;

/** The rows that rate all continuations. How a context is cut follows from itself and the model alone. */
export function planRows(
  choices: readonly ChoicesToRate[],
  model: Pick<ModelConfig, 'slidingWindow'> & { readonly isLengthBound: boolean },
): readonly PlannedRow[] {
  const { slidingWindow = Number.POSITIVE_INFINITY, isLengthBound } = model;
  return choices.flatMap(({ id, context, continuations, shared }) => {
    const longest = context.length + Math.max(...continuations.map(({ length }) => length));
    const usable = isLengthBound || longest > slidingWindow ? 0 : Math.min(shared, context.length - 1);
    const cached = usable - (usable % prefixStep);
    const room = isLengthBound ? 0 : Math.max(fewTokens, context.length - cached);
    return cuts(continuations, room).map(([from, to]): PlannedRow => {
      const row = branchedRow({ context, continuations: continuations.slice(from, to), cached });
      return { id, prefix: context.subarray(0, cached), from, row };
    });
  });
}

/** Ranges of continuations, each of one at least and of no more tokens than there is room for. */
function cuts(
  continuations: readonly Int32Array[],
  room: number,
): readonly (readonly [from: number, to: number])[] {
  const ranges: (readonly [number, number])[] = [];
  let from = 0;
  let used = 0;
  for (const [index, { length }] of continuations.entries()) {
    if (index > from && used + length > room) {
      ranges.push([from, index]);
      [from, used] = [index, 0];
    }
    used += length;
  }
  return [...ranges, [from, continuations.length]];
}

interface PrefixGroup {
  readonly prefix: Int32Array;
  readonly rows: readonly PlannedRow[];
}

/** Whether a token's keys change with the length of its text, so that texts of several lengths have none in common. */
export const isLengthBound = (config: ModelConfig): boolean =>
  config.family === 'llama' && ['dynamic', 'longrope'].includes(config.rotary.scaling.kind);

/** Rows that begin with the same cached tokens, in the order in which those first come. */
export function samePrefixes(rows: readonly PlannedRow[]): readonly PrefixGroup[] {
  const groups = new Map<string, { prefix: Int32Array; rows: PlannedRow[] }>();
  for (const row of rows) {
    const name = row.prefix.join();
    const group = groups.get(name);
    if (group === undefined) groups.set(name, { prefix: row.prefix, rows: [row] });
    else group.rows.push(row);
  }
  return [...groups.values()];
}
