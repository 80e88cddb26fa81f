import { type RandomStream, UserError } from '../../core/index.ts';

export interface Sampling {
  /** 0 takes the likeliest token. */
  readonly temperature: number;
  /** Keep only the N likeliest tokens; all if absent. */
  readonly topK?: number | undefined;
  /** Keep only the likeliest tokens that together reach this probability. */
  readonly topP: number;
  /** Keep only tokens whose probability is at least this share of the likeliest one's. */
  readonly minP?: number | undefined;
}

/** The next token, given the logits [V] of the vocabulary: temperature first, then top-k, top-p (Holtzman et al. 2020) and min-p (Nguyen et al. 2024). */
export function chooseToken(logits: Float32Array, sampling: Sampling, random: RandomStream): number {
  if (sampling.temperature === 0) return likeliest(logits);
  const weights = softmaxWeights(logits, sampling.temperature);
  const kept = keptTokens(weights, sampling);
  return draw(weights, kept, random.uniform());
}

/** The first of the largest logits. */
function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let token = 1; token < logits.length; token++)
    if ((logits[token] ?? 0) > (logits[best] ?? 0)) best = token;
  return best;
}

/** exp((logit - largest) / temperature): probabilities up to a common factor. */
function softmaxWeights(logits: Float32Array, temperature: number): Float64Array {
  const largest = logits[likeliest(logits)] ?? 0;
  const weights = new Float64Array(logits.length);
  for (let token = 0; token < logits.length; token++)
    weights[token] = Math.exp(((logits[token] ?? 0) - largest) / temperature);
  return weights;
}

/** The tokens to draw from, likeliest first and then by id; undefined means all of them. */
function keptTokens(weights: Float64Array, { topK, topP, minP = 0 }: Sampling): Uint32Array | undefined {
  if (topK === undefined && topP === 1 && minP === 0) return undefined;
  // Sorting numbers is ten times as fast as sorting ids by them.
  const ranked = weights
    .toSorted()
    .reverse()
    .subarray(0, topK ?? weights.length);
  const wanted = topP * ranked.reduce((sum, weight) => sum + weight, 0);
  let reached = 0;
  const enough = ranked.findIndex((weight) => {
    reached += weight;
    return reached >= wanted;
  });
  const nucleus = enough === -1 ? ranked.length : enough + 1;
  // The likeliest token's weight is 1.
  const unlikely = ranked.findIndex((weight) => weight < minP);
  return heaviest(weights, ranked.subarray(0, unlikely === -1 ? nucleus : Math.min(nucleus, unlikely)));
}

/** The tokens with these largest weights, in their order and then by id. */
function heaviest(weights: Float64Array, ranked: Float64Array): Uint32Array {
  const least = ranked.at(-1) ?? Number.POSITIVE_INFINITY;
  const heavier: number[] = [];
  const equal: number[] = [];
  for (let token = 0; token < weights.length; token++) {
    const weight = weights[token] ?? 0;
    if (weight > least) heavier.push(token);
    else if (weight === least) equal.push(token);
  }
  heavier.sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0) || a - b);
  return Uint32Array.from([...heavier, ...equal].slice(0, ranked.length));
}

function draw(weights: Float64Array, kept: Uint32Array | undefined, uniform: number): number {
  const count = kept?.length ?? weights.length;
  const tokenAt = (index: number) => kept?.[index] ?? index;
  let sum = 0;
  for (let index = 0; index < count; index++) sum += weights[tokenAt(index)] ?? 0;
  let left = uniform * sum;
  for (let index = 0; index < count; index++) {
    left -= weights[tokenAt(index)] ?? 0;
    if (left < 0) return tokenAt(index);
  }
  return tokenAt(count - 1); // reached only by rounding
}

/**
 * Makes tokens that are already in the text less likely (a penalty above 1): divides positive logits by it and
 * multiplies negative ones, once per token (Keskar et al. 2019, as in transformers). Does not change the given logits.
 */
export function penalizeRepetition(
  logits: Float32Array,
  { penalty, text }: { readonly penalty: number; readonly text: Iterable<number> },
): Float32Array {
  if (penalty === 1) return logits;
  const penalized = logits.slice();
  for (const token of new Set(text)) {
    const logit = logits[token];
    if (logit !== undefined) penalized[token] = logit < 0 ? logit * penalty : logit / penalty;
  }
  return penalized;
}

/** What makes single tokens more or less likely. */
export interface LogitAdjustments {
  /** Above 1, tokens that are in the prompt or the answer become less likely. */
  readonly repetitionPenalty?: number | undefined;
  /** Subtracted from a token's logit for each time that it is in the answer. */
  readonly frequencyPenalty?: number | undefined;
  /** Subtracted once from the logit of a token that is in the answer. */
  readonly presencePenalty?: number | undefined;
  /** Token -> what is added to its logit. */
  readonly logitBias?: ReadonlyMap<number, number> | undefined;
}

/**
 * The logits with the bias, the repetition penalty, and then the frequency and presence penalties of OpenAI's API:
 * logit - count frequencyPenalty - (count > 0) presencePenalty, where `count` is over the answer. Does not change the
 * given logits.
 */
export function adjustLogits(
  logits: Float32Array,
  {
    repetitionPenalty = 1,
    frequencyPenalty = 0,
    presencePenalty = 0,
    logitBias,
    prompt,
    answer,
  }: LogitAdjustments & { readonly prompt: Iterable<number>; readonly answer: readonly number[] },
): Float32Array {
  const isBiased = logitBias !== undefined && logitBias.size > 0;
  const biased = isBiased ? logits.slice() : logits;
  for (const [token, bias] of isBiased ? logitBias : [])
    if (token < biased.length) biased[token] = (biased[token] ?? 0) + bias;
  const penalized = penalizeRepetition(biased, { penalty: repetitionPenalty, text: joined(prompt, answer) });
  if (frequencyPenalty === 0 && presencePenalty === 0) return penalized;
  const adjusted = penalized === logits ? logits.slice() : penalized;
  const counts = new Map<number, number>();
  for (const token of answer) counts.set(token, (counts.get(token) ?? 0) + 1);
  for (const [token, count] of counts)
    adjusted[token] = (adjusted[token] ?? 0) - count * frequencyPenalty - presencePenalty;
  return adjusted;
}

function* joined(prompt: Iterable<number>, answer: readonly number[]): Generator<number> {
  yield* prompt;
  yield* answer;
}

/** The error of a model that computes NaN for a record: without it the result would look like an answer. */
export function notFinite(id: string): UserError {
  return new UserError({
    code: 'model-not-finite',
    message: `the model computes no numbers for record ${id}: its weights hold NaN or infinity`,
    help: 'check where its weights come from',
    records: [{ id }],
  });
}
