import type { RatedChoice, ResponseRecord } from '../../../ports/response-record.ts';

/** By what the candidates are compared. */
export type Likelihood = 'log_likelihood' | 'per_character' | 'per_byte';

/** The place of the likeliest candidate, the first among equals; -1 where there is none. */
export function chosenIndex(
  { choices = [] }: Pick<ResponseRecord, 'choices'>,
  by: Likelihood = 'log_likelihood',
): number {
  let best = choices.length === 0 ? -1 : 0;
  for (const [index, choice] of choices.entries())
    if (choice[by] > (choices[best]?.[by] ?? Number.NEGATIVE_INFINITY)) best = index;
  return best;
}

export const chosenText = (response: Pick<ResponseRecord, 'choices'>, by?: Likelihood): string =>
  response.choices?.[chosenIndex(response, by)]?.text ?? '';

/** The probability of the likeliest candidate where one of them has to be right. */
export function confidence(choices: readonly RatedChoice[]): number {
  const likelihoods = choices.map(({ log_likelihood }) => log_likelihood);
  const largest = Math.max(...likelihoods);
  return 1 / likelihoods.reduce((total, one) => total + Math.exp(one - largest), 0);
}
