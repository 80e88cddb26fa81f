import { isObject, type Json } from '../../core/index.ts';
import type { AnswerSettings } from '../model/protocol.ts';
import {
  FieldProblem,
  flag,
  list,
  number,
  object,
  type ReadField,
  type RequestFields,
  text,
  whole,
} from './request-fields.ts';

/** The most answers to one request. */
const mostAnswers = 128;
const mostStops = 64;
const longestStop = 512;
/** As OpenAI allows. */
const mostBias = 100;
const mostBiases = 1024;

/** Refuses a request for more answers than one may have. */
export function checkAnswers(
  fields: RequestFields,
  { prompts, samples }: { prompts: number; samples: number },
): void {
  if (prompts * samples > mostAnswers)
    fields.refuse(
      'n',
      `asks for ${prompts * samples} answers in one request, and ${mostAnswers} is the most`,
    );
}

/** How an answer is sent. */
export interface Sending {
  readonly stream: boolean;
  /** Whether a last chunk tells the tokens. */
  readonly includesUsage: boolean;
}

export function readSending(fields: RequestFields): Sending {
  const stream = fields.read('stream', flag) ?? false;
  const options = fields.read('stream_options', object);
  if (options !== undefined && !stream) fields.refuse('stream_options', 'means nothing without `stream`');
  // Padding against those who guess a text from the sizes of its packets, which a chunk per token would give away anyway.
  const { include_usage = false, include_obfuscation = false, ...others } = options ?? {};
  const [other] = Object.keys(others);
  if (other !== undefined)
    fields.refuse('stream_options', `has \`${other}\`, which this server does not heed`);
  if (include_obfuscation === true)
    fields.refuse('stream_options', 'asks for obfuscation, which is not supported');
  if (include_usage !== null && typeof include_usage !== 'boolean')
    fields.refuse('stream_options', 'has an `include_usage` that is neither true nor false');
  return { stream, includesUsage: include_usage === true };
}

/** What decides how answers are written, except how long they may be. */
export function readSettings(fields: RequestFields): Omit<AnswerSettings, 'maxNewTokens'> {
  return {
    temperature: fields.read('temperature', number(0)) ?? 1,
    topP: fields.read('top_p', number(0, 1)) ?? 1,
    topK: fields.read('top_k', topK),
    minP: fields.read('min_p', number(0, 1)) ?? 0,
    repetitionPenalty: fields.read('repetition_penalty', positive) ?? 1,
    frequencyPenalty: fields.read('frequency_penalty', number(-2, 2)) ?? 0,
    presencePenalty: fields.read('presence_penalty', number(-2, 2)) ?? 0,
    logitBias: fields.read('logit_bias', logitBias) ?? [],
    seed: fields.read('seed', whole(Number.MIN_SAFE_INTEGER)),
    stop: fields.read('stop', stopTexts) ?? [],
    stopTokens: fields.read('stop_token_ids', list(whole(0), mostStops)) ?? [],
  };
}

export const samples: ReadField<number> = whole(1, mostAnswers);

/** 0 and -1 mean all tokens, as in vLLM. */
const topK: ReadField<number | undefined> = (given) => {
  const value = whole(-1)(given);
  return value < 1 ? undefined : value;
};

const positive: ReadField<number> = (given) => {
  const value = number(0)(given);
  if (value > 0) return value;
  throw new FieldProblem('is not above 0');
};

const stopText: ReadField<string> = (given) => {
  const value = text(given);
  if (value === '') throw new FieldProblem('is empty');
  if (value.length > longestStop)
    throw new FieldProblem(`has ${value.length} characters, and ${longestStop} is the most`);
  return value;
};

const stopTexts: ReadField<readonly string[]> = (given) =>
  typeof given === 'string' ? [stopText(given)] : list(stopText, mostStops)(given);

const logitBias: ReadField<readonly (readonly [number, number])[]> = (given) => {
  const entries = Object.entries(object(given));
  if (entries.length > mostBiases)
    throw new FieldProblem(`has ${entries.length} tokens, and ${mostBiases} is the most`);
  return entries.map(([token, bias]) => {
    if (!/^\d{1,9}$/.test(token))
      throw new FieldProblem(`has \`${token.slice(0, 32)}\`, which is no token's id`);
    return [Number(token), number(-mostBias, mostBias)(bias)];
  });
};

/** Fields of OpenAI's that neither endpoint supports, except with values that ask for nothing. */
export function refuseUnsupported(fields: RequestFields): void {
  const isOne = (values: readonly Json[]) => (given: Json) => values.includes(given);
  fields.unsupported('service_tier', 'there is one tier', isOne(['auto', 'default']));
  fields.unsupported('store', 'nothing is stored', isOne([false]));
  fields.unsupported(
    'metadata',
    'nothing is stored',
    (given) => isObject(given) && Object.keys(given).length === 0,
  );
}
