import {
  ExactNumber,
  hasFields,
  isBoolean,
  isList,
  isNumber,
  isObject,
  isText,
  type Json,
  type JsonCheck,
  type JsonObject,
  listOf,
  orAbsent,
  UserError,
} from '../core/index.ts';

const finishReasons = ['stop', 'length', 'content_filter', 'refusal'] as const;

/**
 * `stop` at an end of text or a stop string, `length` at the limit. `content_filter` and `refusal`: an endpoint withheld
 * the answer, and the text is what came of it.
 */
export type FinishReason = (typeof finishReasons)[number];

/** A model's answer to one prompt (`text` mode), or its log-likelihood of a given text (the other modes). */
export interface ResponseRecord {
  readonly id: string;
  readonly prompt: string;
  /** The expected response: the formatted record's `response` segments joined. */
  readonly expected: string;
  /** The row that the prompt was made from. */
  readonly fields: JsonObject;
  /** The id of the question, if it is not the first answer to it and `mode: task` asked for several. */
  readonly sample_of?: string;
  /** `text` mode: the answer, cleaned of the response header and of surrounding white space. */
  readonly response?: string;
  /** `text` mode: why the answer ends. */
  readonly finish_reason?: FinishReason;
  /** Natural logarithm, summed over the tokens. `score` mode: of the expected response and the end of text after it; `rolling` mode: of the whole text. */
  readonly log_likelihood?: number;
  /** `score` and `rolling` mode: how many tokens were scored. */
  readonly scored_tokens?: number;
  /** After `execute`: whether the answer, run as a program, passed its tests. */
  readonly passed?: boolean;
  /** After `execute`: `passed`, `timed out`, or `failed: ` and the exception. */
  readonly outcome?: string;
  /** `choices` mode: each candidate, in the order of the record. */
  readonly choices?: readonly ScoredChoice[];
  /** `rolling` mode: words of the text, separated by white space. */
  readonly words?: number;
  /** `rolling` mode: bytes of the text in UTF-8. */
  readonly bytes?: number;
}

/** The log-likelihood of one candidate after a prompt. */
type ScoredChoice = {
  readonly text: string;
  /** Natural logarithm of its probability, summed over its tokens. */
  readonly log_likelihood: number;
  /** The same divided by the candidate's characters (code points). */
  readonly per_character: number;
  /** The same divided by the candidate's bytes in UTF-8. */
  readonly per_byte: number;
  readonly tokens: number;
  /** Whether greedy decoding would write it: each token is the likeliest one. */
  readonly is_greedy: boolean;
};

const choiceFields: { readonly [Name in keyof ScoredChoice]-?: JsonCheck } = {
  text: isText,
  log_likelihood: isNumber,
  per_character: isNumber,
  per_byte: isNumber,
  tokens: isNumber,
  is_greedy: isBoolean,
};

const fields: { readonly [Name in keyof ResponseRecord]-?: JsonCheck } = {
  id: isText,
  prompt: isText,
  expected: isText,
  fields: isObject,
  sample_of: orAbsent(isText),
  response: orAbsent(isText),
  finish_reason: orAbsent((value) => finishReasons.some((reason) => reason === value)),
  log_likelihood: orAbsent(isNumber),
  scored_tokens: orAbsent(isNumber),
  passed: orAbsent(isBoolean),
  outcome: orAbsent(isText),
  choices: orAbsent(listOf(hasFields(choiceFields))),
  words: orAbsent(isNumber),
  bytes: orAbsent(isNumber),
};

/** Metrics compute with all numbers but those of the user's row. */
const withPlainNumbers = (response: JsonObject): JsonObject =>
  mapObject(response, (value, name) => (name === 'fields' ? value : plainNumbers(value)));

function plainNumbers(value: Json): Json {
  if (value instanceof ExactNumber) return Number(value);
  if (isList(value)) return value.map(plainNumbers);
  return isObject(value) ? mapObject(value, plainNumbers) : value;
}

const mapObject = (object: JsonObject, change: (value: Json, name: string) => Json): JsonObject =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value, name)]));

/**
 * One line of a responses file; throws a UserError for anything else, as a user's command can write one too. `place`
 * says where the value is.
 */
export function parseResponse(value: Json, place: string): ResponseRecord {
  const row = isObject(value) ? withPlainNumbers(value) : {};
  const wrong = Object.entries(fields).find(([name, test]) => !test(row[name]));
  if (wrong === undefined) return row as unknown as ResponseRecord; // decode edge: every field has just been checked
  const [name] = wrong;
  const found = row[name] === undefined ? 'has no' : `has ${JSON.stringify(row[name]).slice(0, 100)} as`;
  throw new UserError({
    code: 'bad-response',
    message: `${place}: the response ${found} \`${name}\``,
    help: 'a response is {"id": "...", "prompt": "...", "expected": "...", "fields": {}, "response": "..."}; load the answers of another program with `as: predictions`',
  });
}
