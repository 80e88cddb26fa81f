import { commonPrefixLength } from '../../text/index.ts';
import type { LanguageModel } from '../language-model.ts';
import { type KeyValueSpan, type PrefilledPrompt, prefill } from './prefill.ts';
import { compareBits, isSameBits } from './same-bits.ts';
import { SharedPrefixes } from './shared-prefixes.ts';

/** A row whose prompt is prefilled. */
export interface PrefilledRow<Row> {
  readonly row: Row;
  readonly prompt: PrefilledPrompt;
}

/** A row before it is decoded. */
interface WaitingRow {
  /** At least one token. */
  readonly prompt: Int32Array;
}

interface Prefilling {
  readonly model: LanguageModel;
  /** The most rows in a pass. */
  readonly batchSize: number;
  /** The padded length of a prompt of N tokens. */
  readonly paddedLength: (tokens: number) => number;
}

/** Enough tokens in a forward pass to keep the processors busy. */
const tokensPerPrefill = 256;

/** Rows of every pass over prompts of a padded length: it follows from that length and the batch size alone. */
export const rowsPerPass = (length: number, batchSize: number): number =>
  Math.max(1, Math.min(batchSize, Math.floor(tokensPerPrefill / length)));

/**
 * Rows waiting to be generated, with their prompts prefilled. Prompts of one padded length are prefilled together, some
 * before their turn. What several prompts begin with is read once, where that gives the same bits; elsewhere the shape of
 * a pass follows from the padded length and the batch size alone. So no row depends on another.
 */
export class PrefillQueue<Row extends WaitingRow> {
  readonly #options: Prefilling;
  #waiting: readonly Row[];
  readonly #prefilled: PrefilledRow<Row>[] = [];
  readonly #prefixes: SharedPrefixes;

  constructor(options: Prefilling, rows: readonly Row[] = []) {
    this.#options = options;
    this.#waiting = rows;
    this.#prefixes = new SharedPrefixes(options.model);
  }

  /** How many rows wait, prefilled or not. */
  get length(): number {
    return this.#waiting.length + this.#prefilled.length;
  }

  /** Whether the next row needs no pass. */
  get isPrefilled(): boolean {
    return this.#prefilled.length > 0;
  }

  add(row: Row): void {
    this.#waiting = [...this.#waiting, row];
  }

  /** Takes out a row whose prompt has not been prefilled; false if it is not there. */
  remove(row: Row): boolean {
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter((one) => one !== row);
    return this.#waiting.length < before;
  }

  /** The next row; undefined if none is left. */
  async next(): Promise<PrefilledRow<Row> | undefined> {
    if (this.#prefilled.length === 0) await this.#prefillSome();
    return this.#prefilled.shift();
  }

  async #prefillSome(): Promise<void> {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const { model, batchSize, paddedLength } = this.#options;
    const length = paddedLength(first.prompt.length);
    const prefix = await this.#prefixOf(first, length);
    const batch = rowsPerPass(length - (prefix?.tokens ?? 0), batchSize);
    const isAlike = ({ prompt }: Row) =>
      paddedLength(prompt.length) === length && startsAlike(prompt, first, prefix);
    const rows = this.#waiting.filter(isAlike).slice(0, batch);
    const taken = new Set(rows);
    this.#waiting = this.#waiting.filter((row) => !taken.has(row));
    const ordinary = { model, prompts: rows.map(({ prompt }) => prompt), batchSize, length };
    const prompts = await prefillPrompts(ordinary, prefix);
    for (const [index, row] of rows.entries()) {
      const prompt = prompts[index];
      if (prompt !== undefined) this.#prefilled.push({ row, prompt });
    }
  }

  async #prefixOf({ prompt }: Row, length: number): Promise<KeyValueSpan | undefined> {
    if (isSameBits(this.#options.model, 'prefix') === false) return undefined;
    const waiting = this.#waiting.map((row) => row.prompt);
    return this.#prefixes.prefixOf(prompt, { waiting, length });
  }
}

/** Whether a prompt has a prefix of another one, and more tokens; always if there is no prefix. */
function startsAlike(
  prompt: Int32Array,
  other: WaitingRow,
  { tokens }: Pick<KeyValueSpan, 'tokens'> = { tokens: 0 },
): boolean {
  return prompt.length > tokens && commonPrefixLength(prompt, other.prompt.subarray(0, tokens)) === tokens;
}

interface OrdinaryPass {
  readonly model: LanguageModel;
  readonly prompts: readonly Int32Array[];
  readonly batchSize: number;
  /** The padded length of the prompts. */
  readonly length: number;
}

/**
 * Prefills prompts after what they share, and no more rows than there are prompts, if that gives the bits of an ordinary
 * pass. The first time both are computed.
 */
async function prefillPrompts(
  ordinary: OrdinaryPass,
  prefix: KeyValueSpan | undefined,
): Promise<readonly PrefilledPrompt[]> {
  const { model, prompts, batchSize, length } = ordinary;
  const batch = rowsPerPass(length, batchSize);
  if (prefix === undefined && prompts.length === batch) return prefill({ model, prompts, batch, length });
  const variant = prefix === undefined ? 'fewer prompts' : 'prefix';
  const isSame = isSameBits(model, variant);
  if (isSame === false) return ordinaryPasses(ordinary);
  // A product of one row may be computed by another kernel than those of several.
  const headRows = Math.min(2, batch);
  const found = await prefill({ model, prompts, batch: prompts.length, length, prefix, headRows });
  if (isSame) return found;
  const expected = await prefill({ model, prompts: prompts.slice(0, batch), batch, length });
  const logitsOf = ({ logits }: PrefilledPrompt) => logits;
  if (compareBits(model, { variant, expected: expected.map(logitsOf), found: found.map(logitsOf) }))
    return found;
  return [...expected, ...(await ordinaryPasses({ ...ordinary, prompts: prompts.slice(batch) }))];
}

async function ordinaryPasses({
  model,
  prompts,
  batchSize,
  length,
}: OrdinaryPass): Promise<readonly PrefilledPrompt[]> {
  const batch = rowsPerPass(length, batchSize);
  const prefilled: PrefilledPrompt[] = [];
  for (let from = 0; from < prompts.length; from += batch)
    prefilled.push(...(await prefill({ model, prompts: prompts.slice(from, from + batch), batch, length })));
  return prefilled;
}
