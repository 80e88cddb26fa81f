import type { ChoicesToRate } from '../../../model/generation/plan-rows.ts';
import type { Tokenizer } from '../../../text/tokenizer/tokenizer.ts';
import { UserError } from '../../../user-error.ts';
import { RecordProblems } from '../../record-problems.ts';
import type { Question } from '../question.ts';
import { encodePair } from './encode-pair.ts';

interface ChoiceEncoding {
  readonly tokenizer: Tokenizer;
  readonly contextLength: number;
  readonly tooLong: 'refuse' | 'cut';
}

/** Each question as token ids. Throws a UserError that names those which have no choices or are too long. */
export function choicesToRate(
  questions: readonly Question[],
  encoding: ChoiceEncoding,
): readonly ChoicesToRate[] {
  const problems = new RecordProblems('cannot be answered by a choice');
  const encoded = questions.flatMap((question) => {
    const one = problems.collect({ id: question.id }, () => fitted(encode(question, encoding), encoding));
    return one === undefined ? [] : [one];
  });
  problems.throwIfAny();
  return encoded;
}

function encode(question: Question, { tokenizer }: ChoiceEncoding): ChoicesToRate {
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
function fitted(choices: ChoicesToRate, { contextLength, tooLong }: ChoiceEncoding): ChoicesToRate {
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
