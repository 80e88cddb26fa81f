import { rateChoices } from '../../../model/generation/rate-choices.ts';
import type { LocalModel } from '../../models/open-local-model.ts';
import type { RatedChoice } from '../../ports/response-record.ts';
import type { Generated, Generation } from '../generation.ts';
import type { Question } from '../question.ts';
import { remembered } from '../remembered.ts';
import { Tally } from '../tally.ts';
import { choicesToRate } from './choices-to-rate.ts';

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
  for await (const rated of rateChoices({ model, choices, batchSize, signal: host.signal })) {
    ratings.add(
      rated.id,
      rated.ratings.map(({ logLikelihood, tokens, isGreedy }) => [logLikelihood, tokens, isGreedy]),
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
