import { UserError } from '../../core/index.ts';
import { type TextScore, type TextToScore, textLogLikelihoods } from '../../model/index.ts';
import type { Tokenizer } from '../../text/index.ts';
import type { LocalModel } from '../models/local-model.ts';
import { type Generated, type Generation, Tally } from './generation.ts';
import { identityOf, type Question } from './question.ts';
import { remembered } from './response-cache.ts';

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

interface QuestionScoring {
  readonly questions: readonly Question[];
  readonly batchSize: number;
  readonly signal: AbortSignal;
  readonly onScore: (score: TextScore) => void;
}

/** Rates what each record holds after its prompt, and the end of text after it where it has no end of its own. */
async function scoreQuestions({ model, tokenizer }: LocalModel, scoring: QuestionScoring): Promise<void> {
  const { questions, batchSize, signal, onScore } = scoring;
  const texts = questions.map((question) => textToScore(question, tokenizer));
  for await (const score of textLogLikelihoods({ model, texts, batchSize, signal })) onScore(score);
}

/** The text is encoded as a whole, as for training; what is rated begins where its tokens are no longer the prompt's. */
function textToScore({ id, given: prompt, rest, ended }: Question, tokenizer: Tokenizer): TextToScore {
  const { encode, endOfText } = tokenizer;
  const given = encode(prompt);
  const whole = encode([...prompt, ...rest]);
  const differs = whole.findIndex((token, index) => token !== given[index]);
  const from = differs === -1 ? whole.length : differs;
  // Without a prompt the end of the text before is what the first token follows.
  const before = from === 0 ? [endOfText] : [];
  const after = ended ? [] : [endOfText];
  return { id, tokens: Int32Array.of(...before, ...whole, ...after), from: from + before.length };
}
