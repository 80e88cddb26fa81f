import type { Json } from '../../json.ts';
import { isObject } from '../../text/parse-record.ts';
import { UserError } from '../../user-error.ts';
import type { RatedChoice, ResponseRecord } from './response-record.ts';

type Field = keyof ResponseRecord;

const isText = (value: Json | undefined) => typeof value === 'string';
const isNumber = (value: Json | undefined) => typeof value === 'number';
const orAbsent = (test: (value: Json | undefined) => boolean) => (value: Json | undefined) =>
  value === undefined || test(value);

const fields: { readonly [Name in Field]-?: (value: Json | undefined) => boolean } = {
  id: isText,
  prompt: isText,
  expected: isText,
  fields: isObject,
  response: orAbsent(isText),
  finish_reason: orAbsent((value) => value === 'stop' || value === 'length'),
  log_likelihood: orAbsent(isNumber),
  scored_tokens: orAbsent(isNumber),
  passed: orAbsent((value) => typeof value === 'boolean'),
  outcome: orAbsent(isText),
  choices: orAbsent((value) => Array.isArray(value) && value.every(isRatedChoice)),
  words: orAbsent(isNumber),
  bytes: orAbsent(isNumber),
};

const choiceFields: { readonly [Name in keyof RatedChoice]-?: (value: Json | undefined) => boolean } = {
  text: isText,
  log_likelihood: isNumber,
  per_character: isNumber,
  per_byte: isNumber,
  tokens: isNumber,
  is_greedy: (value) => typeof value === 'boolean',
};

function isRatedChoice(value: Json): boolean {
  return isObject(value) && Object.entries(choiceFields).every(([name, test]) => test(value[name]));
}

/**
 * One line of a responses file; throws a UserError for anything else, since a command of the user's can write one too.
 * `place` says where the value stands.
 */
export function parseResponse(value: Json, place: string): ResponseRecord {
  const row = isObject(value) ? value : {};
  const wrong = Object.entries(fields).find(([name, test]) => !test(row[name]));
  if (wrong === undefined) return row as unknown as ResponseRecord; // decode edge: every field has just been checked
  const [name] = wrong;
  const found = row[name] === undefined ? 'has no' : `has ${JSON.stringify(row[name]).slice(0, 100)} as`;
  throw new UserError({
    code: 'bad-response',
    message: `${place}: the response ${found} \`${name}\``,
    help: 'a response is {"id": "...", "prompt": "...", "expected": "...", "fields": {}, "response": "..."}',
  });
}
