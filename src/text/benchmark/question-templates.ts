import type { Json, JsonObject } from '../../json.ts';
import { UserError } from '../../user-error.ts';
import { isObject } from '../parse-record.ts';
import { optionalText, requiredText } from '../template/row-field.ts';
import type { ExampleTemplate } from './example-template.ts';
import { textList } from './row-lists.ts';

/** SQuAD as lm-evaluation-harness asks it (squadv2). */
export const squadTemplate: ExampleTemplate = {
  write: (row) => ({
    prompt: `Title: ${optionalText(row, 'title')}\n\nBackground: ${requiredText(row, 'context')}\n\nQuestion: ${requiredText(row, 'question')}\n\nAnswer:`,
    header: ' ',
    response: textList(row, 'answers')[0] ?? 'unanswerable',
  }),
};

/** TriviaQA as lm-evaluation-harness asks it, without a document. */
export const triviaQaTemplate: ExampleTemplate = {
  write: (row) => ({
    prompt: `Question: ${requiredText(row, 'question')}?\nAnswer:`,
    header: ' ',
    response: requiredText(row, 'answer'),
  }),
};

/** HumanEval: the program's beginning as it stands. */
export const humanEvalTemplate: ExampleTemplate = {
  write: (row) => ({
    prompt: requiredText(row, 'prompt'),
    header: '',
    response: optionalText(row, 'canonical_solution'),
  }),
};

/** OpenAI Evals for models that complete text: a conversation is written with `User:` and `Assistant:`. */
export const openaiEvalsTemplate: ExampleTemplate = {
  write: (row) => ({
    prompt: conversationText(row),
    header: '',
    response: Array.isArray(row.ideal) ? (textList(row, 'ideal')[0] ?? '') : optionalText(row, 'ideal'),
  }),
};

/** As evals.prompt.base writes a conversation; a single message stands by itself. */
function conversationText(row: JsonObject): string {
  const { input } = row;
  if (!Array.isArray(input)) return requiredText(row, 'input');
  const turns = input.map(turnOf);
  const [only] = turns;
  if (turns.length === 1 && only) return only.content;
  const lines = turns.map(
    ({ name, content }) => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}: ${content}\n`,
  );
  return `${lines.join('')}Assistant:`;
}

function turnOf(turn: Json): { readonly name: string; readonly content: string } {
  if (isObject(turn)) {
    const name = turn.name ?? turn.role;
    if (typeof name === 'string' && typeof turn.content === 'string') return { name, content: turn.content };
  }
  throw new UserError({
    code: 'bad-field',
    message: 'a turn of its `input` lacks the texts `role` and `content`',
  });
}
