import type { Tokenizer } from '../../text/index.ts';
import { formatCount } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** One artifact to look at, and which of its items. */
export interface ShowSource {
  /** Absolute path of the file or folder that holds it. */
  readonly path: string;
  readonly limit: number | undefined;
  readonly offset: number;
  /** Counted from 1. */
  readonly epoch: number;
  /** Counted from 1. */
  readonly batch: number;
  /** What the stage's field `keep` is, for the history of a training. */
  readonly keep: unknown;
  /** The tokenizer with this vocabulary, if the pipeline still has it. */
  readonly tokenizer: (vocabulary: string) => Promise<Tokenizer | undefined>;
}

/** An artifact in readable form: for programs and for people. */
export interface Shown {
  readonly json: unknown;
  readonly text: (terminal: Terminal) => string;
  /** One object a line, by the names of its columns; absent for what is no table. */
  readonly csv?: readonly Readonly<Record<string, unknown>>[];
}

/** Some items of many. */
export interface Window<Item> {
  readonly offset: number;
  readonly items: readonly Item[];
  readonly total: number;
}

/** Keeps `limit` items from `offset` on, and counts all items. */
export async function windowOf<Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  { offset, limit }: { offset: number; limit: number },
): Promise<Window<Item>> {
  const kept: Item[] = [];
  let total = 0;
  for await (const item of items) {
    if (total >= offset && kept.length < limit) kept.push(item);
    total += 1;
  }
  return { offset, items: kept, total };
}

/** Says which items are shown and how to see more; empty if all are shown. */
export function windowNote({ offset, items, total }: Window<unknown>, noun: string): string {
  if (items.length === total) return '';
  if (items.length === 0) return `no ${noun} from ${formatCount(offset)} on; there are ${formatCount(total)}`;
  const range = `${noun} ${formatCount(offset + 1)} to ${formatCount(offset + items.length)} of ${formatCount(total)}`;
  const next = offset + items.length;
  return next < total ? `${range}; see more with --offset ${next} or --limit` : range;
}

/** A token's id and its text with visible white space, on one line: `262"␣the"`. */
export function tokenText(token: number, tokenizer: Tokenizer | undefined): string {
  return tokenizer ? `${token}"${safeLine(tokenizer.decode([token])).replaceAll(' ', '␣')}"` : String(token);
}
