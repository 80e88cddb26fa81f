import { RecordProblems, UserError } from '../../core/index.ts';
import { type TextToScore, textLogLikelihoods } from '../../model/index.ts';
import type { LocalModel } from '../models/local-model.ts';
import { type Generated, type Generation, Tally } from './generation.ts';
import { identityOf, type Question, textOf } from './question.ts';
import { remembered } from './response-cache.ts';

/** A text's sum as the memo holds it: [log-likelihood, tokens]. */
type RememberedSum = readonly [number, number];

interface RollingModel {
  readonly local: LocalModel;
  readonly fingerprint: string;
}

/** Rates the whole text of every record, however long, unless its rating is there from before. */
export async function rollAll(
  generation: Generation,
  { local, fingerprint }: RollingModel,
): Promise<Generated> {
  const { config, questions, host } = generation;
  const sums = await remembered<RememberedSum>(generation, {
    fingerprint,
    asks: ({ given, rest }) => [identityOf([...given, ...rest])],
    decode: decodeSum,
  });
  const { open, known } = sums;
  const tally = new Tally(host, { total: known + open.length, known });
  const windows = windowsOf(open, { local, longest: config.window });
  // An id of its own for each window, so that a text's sum is taken in the order of its windows.
  const texts = windows.flatMap((own, text) =>
    own.map((window, index) => ({ ...window, id: `${text}/${index}` })),
  );
  const { batch_size: batchSize } = config;
  const scores = new Map<string, { readonly logLikelihood: number; readonly tokens: number }>();
  const left = windows.map(({ length }) => length);
  for await (const score of textLogLikelihoods({
    model: local.model,
    texts,
    batchSize,
    signal: host.signal,
  })) {
    scores.set(score.id, score);
    const text = Number(score.id.split('/')[0]);
    left[text] = (left[text] ?? 0) - 1;
    if (left[text] !== 0) continue;
    const own = (windows[text] ?? []).map((_, index) => scores.get(`${text}/${index}`));
    const tokens = own.reduce((total, one) => total + (one?.tokens ?? 0), 0);
    sums.add(open[text]?.id ?? '', [
      own.reduce((total, one) => total + (one?.logLikelihood ?? 0), 0),
      tokens,
    ]);
    tally.add(tokens);
  }
  return {
    responses: questions.map((one) => responseTo(one, sums.resultOf(one))),
    measurements: tally.measurements(),
  };
}

function windowsOf(
  questions: readonly Question[],
  { local, longest }: { readonly local: LocalModel; readonly longest: number | undefined },
): readonly (readonly TextToScore[])[] {
  const { model, tokenizer } = local;
  const { contextLength } = model.config;
  const window = Math.min(longest ?? contextLength, contextLength);
  const problems = new RecordProblems('cannot be rated');
  const windows = questions.map(({ id, given, rest }) =>
    problems.collect({ id }, () => {
      const tokens = tokenizer.encode([...given, ...rest]);
      if (tokens.length > 0)
        return rollingWindows({ id, tokens }, { window, endOfText: tokenizer.endOfText });
      throw new UserError({ code: 'no-tokens', message: 'its text has no tokens' });
    }),
  );
  problems.throwIfAny();
  return windows.map((own) => own ?? []);
}

function responseTo(
  { id, prompt, rest, expected, fields }: Question,
  [log_likelihood, scored_tokens]: RememberedSum,
) {
  const text = prompt + textOf(rest);
  const words = text.split(/\s+/u).length;
  return {
    id,
    prompt,
    expected,
    fields,
    log_likelihood,
    scored_tokens,
    words,
    bytes: Buffer.byteLength(text),
  };
}

function decodeSum(value: unknown): RememberedSum | undefined {
  if (!Array.isArray(value)) return undefined;
  const [logLikelihood, tokens]: unknown[] = value;
  return typeof logLikelihood === 'number' && typeof tokens === 'number'
    ? [logLikelihood, tokens]
    : undefined;
}

/**
 * The windows over a text in which each of its tokens is rated once: one after the other without overlap, each as long
 * as the model's context, the first beginning with the end of a text before, the last moved back until it is full.
 */
export function rollingWindows(
  text: { readonly id: string; readonly tokens: Int32Array },
  { window, endOfText }: { readonly window: number; readonly endOfText: number },
): readonly TextToScore[] {
  const whole = Int32Array.of(endOfText, ...text.tokens);
  const windows: TextToScore[] = [];
  for (let done = 1; done < whole.length; done += window) {
    const end = Math.min(done + window, whole.length);
    const begin = Math.max(0, end - window - 1);
    windows.push({ id: text.id, tokens: whole.subarray(begin, end), from: done - begin });
  }
  return windows;
}
