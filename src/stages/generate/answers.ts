import type { GenerateConfig } from '../../generated/generate-config.ts';
import { writeTexts } from '../../model/index.ts';
import type { LocalModel } from '../models/local-model.ts';
import { type AnswerSource, type Generated, type Generation, Tally } from './generation.ts';
import { cleanAnswer, type Question } from './question.ts';
import { remembered } from './response-cache.ts';

interface AskedSource {
  readonly source: AnswerSource;
  /** What makes the answers; those from before count only where it was the same. */
  readonly fingerprint: string;
  /** All of a question that the source reads. */
  readonly identity: (question: Question) => string;
}

/** An answer as the memo holds it: [what the model wrote, why it stopped]. */
type RememberedAnswer = readonly [string, 'stop' | 'length'];

/** Puts every question to a source, unless its answer is there from before, and gives the responses in their order. */
export async function askAll(
  generation: Generation,
  { source, fingerprint, identity }: AskedSource,
): Promise<Generated> {
  const { config, questions, host } = generation;
  const answers = await remembered<RememberedAnswer>(generation, {
    fingerprint,
    // Draws are seeded by the record's id; the likeliest tokens follow from the prompt alone.
    asks: (question) => (config.temperature > 0 ? [identity(question), question.id] : [identity(question)]),
    decode: decodeAnswer,
  });
  const { open, known } = answers;
  const tally = new Tally(host, { total: known + open.length, known });
  await source({
    requests: open.map(({ id, prompt, given, conversation, sample }) => ({
      id,
      prompt,
      given,
      conversation,
      sample,
    })),
    sampling: config,
    signal: host.signal,
    onAnswer: ({ id, text, finishReason, tokens = 0 }) => {
      answers.add(id, [text, finishReason]);
      tally.add(tokens);
    },
  });
  const responses = questions.map((question) => {
    const [text, finish_reason] = answers.resultOf(question);
    // A header that was given is not expected in the answer, and what looks like it there is the answer's own.
    const header = config.start === 'prompt' ? question.header : '';
    const response = config.clean ? cleanAnswer(text, header) : text;
    const { id, prompt, expected, fields } = question;
    return { id, prompt, expected, fields, response, finish_reason };
  });
  return { responses, measurements: tally.measurements() };
}

function decodeAnswer(value: unknown): RememberedAnswer | undefined {
  if (!Array.isArray(value)) return undefined;
  const [text, reason]: unknown[] = value;
  return typeof text === 'string' && (reason === 'stop' || reason === 'length') ? [text, reason] : undefined;
}

/** Answers with a model in this process, so many prompts at a time. */
export const answerLocally =
  (
    { model, tokenizer, endTokens }: LocalModel,
    { batch_size: batchSize, too_long: tooLong }: Pick<GenerateConfig, 'batch_size' | 'too_long'>,
  ): AnswerSource =>
  async ({ requests, sampling, signal, onAnswer }) => {
    const settings = {
      maxNewTokens: sampling.max_new_tokens,
      temperature: sampling.temperature,
      topK: sampling.top_k,
      topP: sampling.top_p,
      minP: sampling.min_p,
      repetitionPenalty: sampling.repetition_penalty,
      seed: sampling.seed,
      stop: sampling.stop,
      stopTokens: [...endTokens, ...sampling.stop_tokens],
      batchSize,
      cutsPrompts: tooLong === 'cut',
    };
    const prompts = requests.map(({ id, given }) => ({ id, text: given }));
    for await (const text of writeTexts({ model, tokenizer, prompts, settings, signal })) onAnswer(text);
  };
