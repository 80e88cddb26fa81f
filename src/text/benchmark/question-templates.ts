import { optionalText, requiredText } from '../template/row-field.ts';
import { conversationText } from './conversation-text.ts';
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
    prompt: Array.isArray(row.input)
      ? conversationText(row.input, { isOpen: true })
      : requiredText(row, 'input'),
    header: '',
    response: Array.isArray(row.ideal) ? (textList(row, 'ideal')[0] ?? '') : optionalText(row, 'ideal'),
  }),
};
