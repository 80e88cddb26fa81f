import {
  hasFields,
  isBoolean,
  isNumber,
  isObject,
  isText,
  type Json,
  type JsonCheck,
  listOf,
  orAbsent,
  UserError,
} from '../core/index.ts';
import { plainMean } from './statistics.ts';

/** The content of a `scores` port. */
export interface Scores {
  readonly metrics: readonly Score[];
  /** Per-record values, in the order of the responses. */
  readonly records?: readonly { readonly id: string; readonly values: Readonly<Record<string, Json>> }[];
}

export interface Score {
  readonly metric: string;
  /** What the figure is about, where a metric has several: a subject, a judge. */
  readonly of?: string;
  /** NaN, in JSON null, where the responses do not define it, such as a ratio of nothing to nothing. */
  readonly value: number;
  readonly higher_is_better: boolean;
  /** The number of records that the value rests on. */
  readonly count: number;
  readonly standard_error?: number;
  /** A bootstrap interval that holds 95 % of the rounds. */
  readonly interval?: { readonly low: number; readonly high: number };
  /** What a reader of the figure has to know. */
  readonly remark?: string;
  /** Records that the metric could not use, with the reason, such as judge answers without a number. */
  readonly left_out?: { readonly count: number; readonly reason: string; readonly ids: readonly string[] };
}

/** A mean over values as a score; higher is better. */
export const meanOf = (metric: string, values: readonly number[]): Score => {
  const { mean: value, standardError } = plainMean(values);
  return { metric, value, higher_is_better: true, count: values.length, ...errorField(standardError) };
};

export const errorField = (error: number | undefined): Pick<Score, 'standard_error'> =>
  error === undefined ? {} : { standard_error: error };

/** The records that a metric could not use, if any. */
export const leftOutField = (reason: string, ids: readonly string[]): Pick<Score, 'left_out'> =>
  ids.length === 0 ? {} : { left_out: { count: ids.length, reason, ids } };

/** The content of a scores file; throws a UserError for anything else, since a user's command can write one too. */
export function parseScores(text: string, path: string): Scores {
  const value = parse(text);
  if (isObject(value) && isScoreList(value.metrics) && isRecordList(value.records ?? []))
    return value as unknown as Scores; // decode edge: every field has just been checked
  throw new UserError({
    code: 'bad-scores',
    message: `${path} holds no scores`,
    help: 'scores are {"metrics": [{"metric": "...", "value": 0.5, "higher_is_better": true, "count": 10}]}',
  });
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** JSON has null for NaN. */
const isNumberOrNull: JsonCheck = (value) => value === null || isNumber(value);

const isScoreList = listOf(
  hasFields({
    metric: isText,
    of: orAbsent(isText),
    value: isNumberOrNull,
    higher_is_better: isBoolean,
    count: isNumber,
    standard_error: orAbsent(isNumberOrNull),
    interval: orAbsent(hasFields({ low: isNumber, high: isNumber })),
    remark: orAbsent(isText),
    left_out: orAbsent(hasFields({ count: isNumber, reason: isText, ids: listOf(isText) })),
  } satisfies { readonly [Name in keyof Score]-?: JsonCheck }),
);

const isRecordList = listOf(hasFields({ id: isText, values: isObject }));
