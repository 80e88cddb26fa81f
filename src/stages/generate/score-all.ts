import { UserError } from '../../user-error.ts';
import type { LocalModel } from '../models/open-local-model.ts';
import type { Generated, Generation } from './generation.ts';
import { identityOf, type Question } from './question.ts';
import { remembered } from './remembered.ts';
import { scoreQuestions } from './score-questions.ts';
import { Tally } from './tally.ts';

/** A score as the memo holds it: [log-likelihood, scored tokens]. */
type RememberedScore = readonly [number, number];

interface ScoringModel {
  readonly local: LocalModel;
  readonly fingerprint: string;
}

/** Rates the response of every record, unless its score is there from before. */
export async function scoreAll(
  generation: Generation,
  { local, fingerprint }: ScoringModel,
): Promise<Generated> {
  const { config, questions, host } = generation;
  refuseWithoutResponses(questions);
  const scores = await remembered<RememberedScore>(generation, {
    fingerprint,
    asks: ({ given, rest }) => [identityOf(given), identityOf(rest)],
    decode: decodeScore,
  });
  const { open, known } = scores;
  const tally = new Tally(host, { total: known + open.length, known });
  await scoreQuestions(local, {
    questions: open,
    batchSize: config.batch_size,
    signal: host.signal,
    onScore: ({ id, logLikelihood, tokens }) => {
      scores.add(id, [logLikelihood, tokens]);
      tally.add(tokens);
    },
  });
  const responses = questions.map((question) => {
    const [log_likelihood, scored_tokens] = scores.resultOf(question);
    const { id, prompt, expected, fields } = question;
    return { id, prompt, expected, fields, log_likelihood, scored_tokens };
  });
  return { responses, measurements: tally.measurements() };
}

function decodeScore(value: unknown): RememberedScore | undefined {
  if (!Array.isArray(value)) return undefined;
  const [logLikelihood, tokens]: unknown[] = value;
  return typeof logLikelihood === 'number' && typeof tokens === 'number'
    ? [logLikelihood, tokens]
    : undefined;
}

/** Without any response only the ends of the texts would be rated, and the losses would look like others. */
function refuseWithoutResponses(questions: readonly Question[]): void {
  if (questions.length === 0 || questions.some(({ expected }) => expected !== '')) return;
  throw new UserError({
    code: 'no-response',
    message: `none of the ${questions.length} records has a response to rate`,
    help: 'give the template of format a `response`, or let the model answer with `mode: text`',
  });
}
