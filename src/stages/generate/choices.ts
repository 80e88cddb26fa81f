import { RecordProblems, UserError } from '../../core/index.ts';
import { type ChoicesToScore, choiceLogLikelihoods } from '../../model/index.ts';
import type { RatedChoice, Tokenizer } from '../../text/index.ts';
import type { LocalModel } from '../models/local-model.ts';
import { type Generated, type Generation, Tally } from './generation.ts';
import type { Question } from './question.ts';
import { remembered } from './response-cache.ts';

/** A rating as the memo holds it: [log-likelihood, tokens, whether they are the likeliest]. */
type RememberedRating = readonly [number, number, boolean];

interface RatingModel {
  readonly local: LocalModel;
  readonly fingerprint: string;
}

/** Rates the choices of every question, unless their ratings are there from before. */
export async function rateAllChoices(
  generation: Generation,
  { local, fingerprint }: RatingModel,
): Promise<Generated> {
  const { config, questions, host } = generation;
  const { model, tokenizer } = local;
  const ratings = await remembered<readonly RememberedRating[]>(generation, {
    fingerprint,
    asks: ({ prompt, between, choices, sharedCharacters }) => [prompt, between, choices, sharedCharacters],
    decode: decodeRatings,
  });
  const { open, known } = ratings;
  const choices = choicesToRate(open, {
    tokenizer,
    contextLength: model.config.contextLength,
    tooLong: config.too_long,
  });
  const tally = new Tally(host, { total: known + open.length, known });
  const { batch_size: batchSize } = config;
  for await (const rated of choiceLogLikelihoods({ model, choices, batchSize, signal: host.signal })) {
    ratings.add(
      rated.id,
      rated.scores.map(({ logLikelihood, tokens, isGreedy }) => [logLikelihood, tokens, isGreedy]),
    );
    tally.add(0);
  }
  const responses = questions.map((question) => {
    const { id, prompt, expected, fields } = question;
    return { id, prompt, expected, fields, choices: ratedChoices(question, ratings.resultOf(question)) };
  });
  return { responses, measurements: tally.measurements() };
}

function decodeRatings(value: unknown): readonly RememberedRating[] | undefined {
  return Array.isArray(value) && value.every(isRating) ? value : undefined;
}

function isRating(value: unknown): value is RememberedRating {
  if (!Array.isArray(value)) return false;
  const [logLikelihood, tokens, isGreedy]: unknown[] = value;
  return typeof logLikelihood === 'number' && typeof tokens === 'number' && typeof isGreedy === 'boolean';
}

function ratedChoices(
  { id, choices }: Question,
  ratings: readonly RememberedRating[],
): readonly RatedChoice[] {
  return choices.map((text, index) => {
    const rating = ratings[index];
    if (rating === undefined) throw new Error(`The choice ${index} of ${id} was not rated`);
    const [logLikelihood, tokens, isGreedy] = rating;
    return {
      text,
      log_likelihood: logLikelihood,
      per_character: logLikelihood / [...text].length,
      per_byte: logLikelihood / Buffer.byteLength(text),
      tokens,
      is_greedy: isGreedy,
    };
  });
}

interface ChoiceEncoding {
  readonly tokenizer: Tokenizer;
  readonly contextLength: number;
  readonly tooLong: 'refuse' | 'cut';
}

/** Each question as token ids. Throws a UserError that names those which have no choices or are too long. */
function choicesToRate(questions: readonly Question[], encoding: ChoiceEncoding): readonly ChoicesToScore[] {
  const problems = new RecordProblems('cannot be answered by a choice');
  const encoded = questions.flatMap((question) => {
    const one = problems.collect({ id: question.id }, () => fitted(encode(question, encoding), encoding));
    return one === undefined ? [] : [one];
  });
  problems.throwIfAny();
  return encoded;
}

function encode(question: Question, { tokenizer }: ChoiceEncoding): ChoicesToScore {
  const { id, prompt, between, choices, sharedCharacters } = question;
  if (choices.length === 0)
    throw new UserError({
      code: 'no-choices',
      message: 'it has no choices',
      help: 'take a template that writes them, or give your own template `choices`',
    });
  const pairs = choices.map((choice) =>
    encodePair(tokenizer, { context: prompt, continuation: between + choice }),
  );
  const context = pairs[0]?.context ?? new Int32Array();
  const continuations = pairs.map(({ continuation }) => continuation);
  const empty = continuations.findIndex(({ length }) => length === 0);
  if (empty !== -1)
    throw new UserError({
      code: 'empty-choice',
      message: `its choice ${JSON.stringify(choices[empty])} adds no token to the prompt`,
      help: 'a choice is a text of its own; the space before it belongs into the header',
    });
  const shared = commonLength(tokenizer.encode(prompt.slice(0, sharedCharacters)), context);
  return { id, context, continuations, shared };
}

function commonLength(one: Int32Array, other: Int32Array): number {
  const differs = one.findIndex((token, index) => token !== other[index]);
  return differs === -1 ? Math.min(one.length, other.length) : differs;
}

/** The model reads all but the last token of a context with its continuation. */
function fitted(choices: ChoicesToScore, { contextLength, tooLong }: ChoiceEncoding): ChoicesToScore {
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

interface EncodedPair {
  /** At least one token. */
  readonly context: Int32Array;
  /** Empty where the continuation has no token of its own. */
  readonly continuation: Int32Array;
}

/**
 * The tokens of a context and of what continues it, by the rule of lm-evaluation-harness: white space at the context's
 * end goes over to the continuation, whose tokens are those of both together beyond as many as the context has alone.
 * An empty context is the end of a text before.
 */
export function encodePair(
  { encode, endOfText }: Tokenizer,
  pair: { readonly context: string; readonly continuation: string },
): EncodedPair {
  const context = pair.context.trimEnd();
  const continuation = pair.context.slice(context.length) + pair.continuation;
  if (context === '') return { context: Int32Array.of(endOfText), continuation: encode(continuation) };
  const encoded = encode(context);
  return { context: encoded, continuation: encode(context + continuation).subarray(encoded.length) };
}
