import { UserError } from '../../user-error.ts';
import type { Score, Scores } from './scores.ts';

/** The content of a scores file; throws a UserError for anything else, since a command of the user's can write one too. */
export function parseScores(text: string, path: string): Scores {
  const value = parse(text);
  if (isMap(value) && isListOf(value.metrics, isScore) && isListOf(value.records ?? [], isScoredRecord))
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
  if (!isMap(value)) return false;
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
  isMap(value) && typeof value.low === 'number' && typeof value.high === 'number';

const isLeftOut = (value: unknown): boolean =>
  isMap(value) &&
  typeof value.count === 'number' &&
  typeof value.reason === 'string' &&
  isListOf(value.ids, (id) => typeof id === 'string');

const isScoredRecord = (value: unknown): boolean =>
  isMap(value) && typeof value.id === 'string' && isMap(value.values);

const isListOf = (value: unknown, isItem: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isItem);

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
