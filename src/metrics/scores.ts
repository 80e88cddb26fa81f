import { isObject, type Json, UserError } from '../core/index.ts';

/** The content of a `scores` port. */
export interface Scores {
  readonly metrics: readonly Score[];
  /** Per-record values, in the order of the responses, for whoever wants to look. */
  readonly records?: readonly { readonly id: string; readonly values: Readonly<Record<string, Json>> }[];
}

export interface Score {
  readonly metric: string;
  /** What it is of, where a metric has several figures: a subject, a judge. */
  readonly of?: string;
  readonly value: number;
  readonly higher_is_better: boolean;
  /** How many records the value is a mean over. */
  readonly count: number;
  readonly standard_error?: number;
  /** A bootstrap interval that holds 95 % of the rounds. */
  readonly interval?: { readonly low: number; readonly high: number };
  /** What a reader of the figure has to know. */
  readonly remark?: string;
  /** Records that the metric could not use, with the reason, such as judge answers without a number. */
  readonly left_out?: { readonly count: number; readonly reason: string; readonly ids: readonly string[] };
}

/** The content of a scores file; throws a UserError for anything else, since a command of the user's can write one too. */
export function parseScores(text: string, path: string): Scores {
  const value = parse(text);
  if (isObject(value) && isListOf(value.metrics, isScore) && isListOf(value.records ?? [], isScoredRecord))
    return value as unknown as Scores; // decode edge: every field has just been checked
  throw new UserError({
    code: 'bad-scores',
    message: `${path} holds no scores`,
    help: 'scores are {"metrics": [{"metric": "...", "value": 0.5, "higher_is_better": true, "count": 10}]}',
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isScore(value: unknown): value is Score {
  if (!isObject(value)) return false;
  const {
    metric,
    value: number,
    higher_is_better: higher,
    count,
    standard_error: error,
    left_out: out,
    of,
    interval,
    remark,
  } = value;
  return (
    typeof metric === 'string' &&
    // What is not a number is written as null.
    (typeof number === 'number' || number === null) &&
    typeof higher === 'boolean' &&
    typeof count === 'number' &&
    (error === undefined || error === null || typeof error === 'number') &&
    (out === undefined || isLeftOut(out)) &&
    (of === undefined || typeof of === 'string') &&
    (interval === undefined || isInterval(interval)) &&
    (remark === undefined || typeof remark === 'string')
  );
}

const isInterval = (value: unknown): boolean =>
  isObject(value) && typeof value.low === 'number' && typeof value.high === 'number';

const isLeftOut = (value: unknown): boolean =>
  isObject(value) &&
  typeof value.count === 'number' &&
  typeof value.reason === 'string' &&
  isListOf(value.ids, (id) => typeof id === 'string');

const isScoredRecord = (value: unknown): boolean =>
  isObject(value) && typeof value.id === 'string' && isObject(value.values);

const isListOf = (value: unknown, isItem: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isItem);
