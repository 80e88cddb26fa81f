import { RecordProblems, UserError } from '../../core/index.ts';
import { type ChoicesToScore, choiceLogLikelihoods } from '../../model/index.ts';
import {
  type BosRule,
  commonPrefixLength,
  emptyContext,
  encodeFrom,
  startToken,
  type TextPiece,
  type Tokenizer,
} from '../../text/index.ts';
import type { LocalModel } from '../models/local-model.ts';
import type { Generation, GenerationMode } from './generate.ts';
import { type Prompt, promptIdentity } from './prompt.ts';

/** The log-likelihood of a choice in the response cache; greedy if each of its tokens is the likeliest. */
type CachedChoice = readonly [logLikelihood: number, tokens: number, isGreedy: boolean];

/** `choices` mode: the log-likelihood of each of a record's choices after its prompt. */
export const choicesMode = (
  local: LocalModel,
  { config, host }: Generation,
): GenerationMode<readonly CachedChoice[]> => ({
  cacheKey: (prompt) => [...promptIdentity(prompt), prompt.between, prompt.choices, prompt.sharedCharacters],
  decode: (value) => (Array.isArray(value) && value.every(isCachedChoice) ? value : undefined),
  async compute(prompts, onResult) {
    const choices = encodeChoices(prompts, local, config);
    const scoring = { model: local.model, choices, batchSize: config.batch_size, signal: host.signal };
    for await (const { id, scores } of choiceLogLikelihoods(scoring))
      onResult({
        id,
        result: scores.map(({ logLikelihood, tokens, isGreedy }) => [logLikelihood, tokens, isGreedy]),
      });
  },
  responseFields: ({ id, choices }, results) => ({
    choices: choices.map((text, index) => {
      const result = results[index];
      if (result === undefined) throw new Error(`The choice ${index} of ${id} was not scored`);
      const [logLikelihood, tokens, isGreedy] = result;
      return {
        text,
        log_likelihood: logLikelihood,
        per_character: logLikelihood / [...text].length,
        per_byte: logLikelihood / Buffer.byteLength(text),
        tokens,
        is_greedy: isGreedy,
      };
    }),
  }),
});

function isCachedChoice(value: unknown): value is CachedChoice {
  if (!Array.isArray(value)) return false;
  const [logLikelihood, tokens, isGreedy]: unknown[] = value;
  return typeof logLikelihood === 'number' && typeof tokens === 'number' && typeof isGreedy === 'boolean';
}

/** Prompts with their choices as token ids. Throws a UserError that names those without choices or too long. */
function encodeChoices(
  prompts: readonly Prompt[],
  { tokenizer, model }: LocalModel,
  { bos, too_long: tooLong }: Generation['config'],
): readonly ChoicesToScore[] {
  const { contextLength } = model.config;
  const problems = new RecordProblems('cannot be answered by a choice');
  const encoded = prompts.flatMap((prompt) => {
    const one = problems.collect({ id: prompt.id }, () =>
      fitted(encode(prompt, { tokenizer, bos }), { contextLength, tooLong }),
    );
    return one === undefined ? [] : [one];
  });
  problems.throwIfAny();
  return encoded;
}

interface ChoiceEncoding {
  readonly tokenizer: Tokenizer;
  readonly bos: BosRule;
}

function encode(prompt: Prompt, { tokenizer, bos }: ChoiceEncoding): ChoicesToScore {
  const { id, text, pieces, isChat, between, choices, sharedCharacters } = prompt;
  if (choices.length === 0)
    throw new UserError({
      code: 'no-choices',
      message: 'it has no choices',
      help: 'take a template that writes them, or give your own template `choices`',
    });
  const start = startToken(tokenizer, { bos, isChat });
  const pairs = choices.map((choice) =>
    encodePair(tokenizer, { context: pieces, continuation: between + choice, start, bos }),
  );
  const context = pairs[0]?.context ?? new Int32Array();
  const continuations = pairs.map(({ continuation }) => continuation);
  const empty = continuations.findIndex(({ length }) => length === 0);
  if (empty !== -1)
    throw new UserError({
      code: 'empty-choice',
      message: `its choice ${JSON.stringify(choices[empty])} adds no token to the prompt`,
      help: 'write each choice as a separate text, and the space before it into the header',
    });
  const opening = encodeFrom(start, { tokenizer, text: text.slice(0, sharedCharacters) });
  const shared = sharedCharacters === 0 ? 0 : commonPrefixLength(opening, context);
  return { id, context, continuations, shared };
}

/** The model reads all but the last token of a context with its continuation. */
function fitted(
  choices: ChoicesToScore,
  { contextLength, tooLong }: { readonly contextLength: number; readonly tooLong: 'refuse' | 'cut' },
): ChoicesToScore {
  const { context, continuations } = choices;
  const longest = Math.max(...continuations.map(({ length }) => length));
  const room = contextLength - longest + 1;
  if (context.length <= room) return choices;
  if (tooLong === 'cut' && room > 0) return { ...choices, context: context.subarray(-room), shared: 0 };
  throw new UserError({
    code: 'context-limit',
    message: `it has ${context.length + longest - 1} tokens with its longest choice; the model's context has ${contextLength}`,
    help: 'give format fewer `shots` or `fit_tokens`, or leave out the first tokens with `too_long: cut`',
  });
}

interface Pair {
  readonly context: readonly TextPiece[];
  readonly continuation: string;
  /** The token to put before the context. */
  readonly start: number | undefined;
  readonly bos: BosRule;
}

/**
 * The tokens of a context and of what continues it, by the rule of lm-evaluation-harness: white space at the context's
 * end moves to the continuation. The continuation's tokens are those of the whole text after the first n, where n is
 * the number of tokens in the context alone: none, if it adds no token. An empty context becomes a beginning of text.
 */
export function encodePair(
  tokenizer: Tokenizer,
  { start, bos, ...pair }: Pair,
): { readonly context: Int32Array; readonly continuation: Int32Array } {
  const { context, space } = trimmed(pair.context);
  const continuation = space + pair.continuation;
  if (context.length === 0)
    return {
      context: Int32Array.of(emptyContext(tokenizer, bos)),
      continuation: tokenizer.encode(continuation),
    };
  const encoded = encodeFrom(start, { tokenizer, text: context });
  const whole = encodeFrom(start, { tokenizer, text: [...context, { text: continuation }] });
  return { context: encoded, continuation: whole.subarray(encoded.length) };
}

/** Pieces of text without the white space at their end, and that white space. */
function trimmed(pieces: readonly TextPiece[]): { context: readonly TextPiece[]; space: string } {
  const last = pieces.at(-1);
  if (last === undefined || last.special) return { context: pieces, space: '' };
  const text = last.text.trimEnd();
  const space = last.text.slice(text.length);
  const before = pieces.slice(0, -1);
  if (text !== '') return { context: [...before, { text }], space };
  const rest = trimmed(before);
  return { context: rest.context, space: rest.space + space };
}
