import { isObject } from '../../core/index.ts';
import type { DataRecord, ResponseRecord } from '../../text/index.ts';

/** The other answer of a pair. It has no prompt if it comes from records rather than responses. */
export type SecondAnswer = Partial<Pick<ResponseRecord, 'prompt' | 'response'>>;

/** A response's answer, or that in a field of a record. */
export function answerOf(row: DataRecord, field: string): SecondAnswer {
  const { prompt, response, fields } = row;
  if (typeof prompt === 'string' && isObject(fields))
    return { prompt, ...(typeof response === 'string' ? { response } : {}) };
  const answer = row[field];
  return typeof answer === 'string' ? { response: answer } : {};
}
