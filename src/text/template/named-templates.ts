import type { JsonObject } from '../../core/index.ts';
import { optionalText, requiredText } from './row-field.ts';
import { segmentsOf, type Template } from './template.ts';

const task = 'Below is an instruction that describes a task';
const request = 'Write a response that appropriately completes the request.';
const context = 'paired with an input that provides further context.';

/** Name -> template. */
export const namedTemplates = {
  /** As in "Build a Large Language Model (From Scratch)": one opening, with or without an input. */
  alpaca: instructions({
    prompt: ({ instruction, input }) =>
      `${task}. ${request}\n\n### Instruction:\n${instruction}${before('\n\n### Input:\n', input)}`,
    header: '\n\n### Response:\n',
  }),
  /** As in Stanford Alpaca's train.py: two openings, and the response on the header's line. */
  'alpaca-stanford': instructions({
    prompt: ({ instruction, input }) =>
      input === ''
        ? `${task}. ${request}\n\n### Instruction:\n${instruction}`
        : `${task}, ${context} ${request}\n\n### Instruction:\n${instruction}\n\n### Input:\n${input}`,
    header: '\n\n### Response:',
  }),
  /** Phi-3's markers as in an exercise of the same book, with a colon after the assistant's. */
  phi3: instructions({
    prompt: ({ instruction, input }) => `<|user|>\n${instruction}${before('\n', input)}`,
    header: '\n<|assistant|>:\n',
  }),
  /** Phi-3's markers without the colon. */
  'phi3-plain': instructions({
    prompt: ({ instruction, input }) => `<|user|>\n${instruction}${before('\n', input)}`,
    header: '\n<|assistant|>\n',
  }),
  /** Phi-3's markers in capitals, with a blank line between the turns. */
  'phi3-capitalized': instructions({
    prompt: ({ instruction, input }) => `<|User|>\n${instruction}${before('\n', input)}`,
    header: '\n\n<|Assistant|>\n',
  }),
  /** Plain text, all of which the model learns to write. */
  completion: (row: JsonObject) => segmentsOf({ response: requiredText(row, 'text') }),
} satisfies Record<string, Template>;

export type TemplateName = keyof typeof namedTemplates;

function instructions({
  prompt,
  header,
}: {
  readonly prompt: (row: { readonly instruction: string; readonly input: string }) => string;
  readonly header: string;
}): Template {
  return (row) =>
    segmentsOf({
      prompt: prompt({ instruction: requiredText(row, 'instruction'), input: optionalText(row, 'input') }),
      header,
      response: requiredText(row, 'output'),
    });
}

/** The text with its heading, or nothing if the text is empty. */
function before(heading: string, text: string): string {
  return text === '' ? '' : heading + text;
}
