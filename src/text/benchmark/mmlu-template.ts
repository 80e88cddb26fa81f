import type { JsonObject } from '../../json.ts';
import { optionalText, requiredText } from '../template/row-field.ts';
import type { ExampleTemplate } from './example-template.ts';
import { labelText, textList } from './row-lists.ts';

const letters = ['A', 'B', 'C', 'D'];

interface Variant {
  /** The subject's words as they follow `about`. */
  readonly about: (subject: string) => string;
  readonly question: (text: string) => string;
}

/** MMLU's question with four letters to choose from, after shots of the same subject. */
const mmlu = ({ about, question }: Variant): ExampleTemplate => ({
  write: (row) => ({
    prompt: [
      question(requiredText(row, 'question')),
      ...textList(row, 'choices').map((choice, index) => `${letters[index] ?? '?'}. ${choice}`),
      'Answer:',
    ].join('\n'),
    header: ' ',
    response: letters[Number(labelText(row, 'answer'))] ?? '',
    choices: letters,
  }),
  description: (row) =>
    `The following are multiple choice questions (with answers) about ${about(words(row))}.\n\n`,
  group: subjectOf,
});

const subjectOf = (row: JsonObject): string => optionalText(row, 'subject');
const words = (row: JsonObject): string => subjectOf(row).split('_').join(' ');

/** As evaluate.py of hendrycks/test has it: format_subject puts a space before every word, so that two follow `about`. */
export const mmluTemplate = mmlu({ about: (subject) => ` ${subject}`, question: (text) => text });

/** As lm-evaluation-harness has it: one space, and no white space around the question. */
export const mmluHarnessTemplate = mmlu({ about: (subject) => subject, question: (text) => text.trim() });
