import { RandomStream } from '../core/index.ts';
import { answerKey } from '../metrics/index.ts';
import type { ResponseRecord } from '../text/index.ts';

/** Two answers to one prompt, as a person sees them: left and right, without their models. */
export interface AnswerPair {
  /** The prompt's record. */
  readonly id: string;
  readonly prompt: string;
  readonly expected: string;
  readonly left: PairedAnswer;
  readonly right: PairedAnswer;
}

export interface PairedAnswer {
  readonly of: 'first' | 'second';
  readonly text: string;
  /** A hash of prompt and answer. */
  readonly key: string;
}

export interface PairedAnswers {
  readonly pairs: readonly AnswerPair[];
  /** Answers that cannot be compared, by why. */
  readonly leftOut: {
    readonly equal: number;
    readonly withoutCounterpart: number;
    readonly otherPrompt: number;
  };
}

/**
 * Pairs the answers of two stages by the ids of their prompts. The seed draws the order of the pairs and which answer is
 * on the left. Equal answers leave nothing to choose and are left out, as are answers with no counterpart.
 */
export function pairAnswers({
  first,
  second,
  seed,
}: {
  readonly first: readonly ResponseRecord[];
  readonly second: readonly ResponseRecord[];
  readonly seed: number;
}): PairedAnswers {
  const others = new Map(second.map((response) => [response.id, response]));
  const leftOut = { equal: 0, withoutCounterpart: 0, otherPrompt: 0 };
  const drawn: { readonly pair: AnswerPair; readonly place: number }[] = [];
  for (const one of first) {
    const other = others.get(one.id);
    others.delete(one.id);
    if (one.response === undefined || other?.response === undefined) leftOut.withoutCounterpart += 1;
    else if (one.prompt !== other.prompt) leftOut.otherPrompt += 1;
    else if (one.response === other.response) leftOut.equal += 1;
    else {
      const stream = new RandomStream(['arena', seed, one.id]);
      const place = stream.uniform();
      const answers = [answerOf('first', one), answerOf('second', other)] as const;
      const [left, right] = stream.uniform() < 0.5 ? answers : ([answers[1], answers[0]] as const);
      drawn.push({ place, pair: { id: one.id, prompt: one.prompt, expected: one.expected, left, right } });
    }
  }
  leftOut.withoutCounterpart += others.size;
  return { pairs: drawn.sort((a, b) => a.place - b.place).map(({ pair }) => pair), leftOut };
}

const answerOf = (of: PairedAnswer['of'], { prompt, response = '' }: ResponseRecord): PairedAnswer => ({
  of,
  text: response,
  key: answerKey({ prompt, response }),
});
