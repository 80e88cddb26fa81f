import type { JsonObject } from '../../core/index.ts';
import type { Segment } from '../records.ts';
import { instructionFields } from '../shapes/row-shape.ts';
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
  phi3: phi3({ user: '<|user|>', gap: '\n', assistant: '<|assistant|>', end: ':\n' }),
  /** Phi-3's markers without the colon. */
  'phi3-plain': phi3({ user: '<|user|>', gap: '\n', assistant: '<|assistant|>', end: '\n' }),
  /** Phi-3's markers in capitals, with a blank line between the turns. */
  'phi3-capitalized': phi3({ user: '<|User|>', gap: '\n\n', assistant: '<|Assistant|>', end: '\n' }),
  /** Plain text, all of which the model learns to write; or a prompt and what completes it. */
  completion: (row: JsonObject) =>
    row.text === undefined && typeof row.completion === 'string'
      ? segmentsOf({ prompt: requiredText(row, 'prompt'), response: row.completion })
      : segmentsOf({ response: requiredText(row, 'text') }),
} satisfies Record<string, Template>;

export type TemplateName = keyof typeof namedTemplates;

function instructions({
  prompt,
  header,
}: {
  readonly prompt: (row: { readonly instruction: string; readonly input: string }) => string;
  readonly header: string;
}): Template {
  return (row) => {
    const names = instructionFields(row);
    return segmentsOf({
      prompt: prompt({
        instruction: requiredText(row, names.instruction),
        input: optionalText(row, names.input),
      }),
      header,
      response: requiredText(row, names.output),
    });
  };
}

/** Markers are special tokens with a tokenizer that has them, and text with others. */
function phi3(marks: {
  readonly user: string;
  readonly gap: string;
  readonly assistant: string;
  readonly end: string;
}): Template {
  const write = instructions({
    prompt: ({ instruction, input }) => `\n${instruction}${before('\n', input)}`,
    header: marks.end,
  });
  const opening: readonly Segment[] = [{ role: 'prompt', text: marks.user, special: 'perhaps' }];
  const answer: readonly Segment[] = [
    { role: 'header', text: marks.gap },
    { role: 'header', text: marks.assistant, special: 'perhaps' },
  ];
  return (row) => [
    ...opening,
    ...write(row).flatMap((segment) => (segment.role === 'header' ? [...answer, segment] : [segment])),
  ];
}

/** The text with its heading, or nothing if the text is empty. */
function before(heading: string, text: string): string {
  return text === '' ? '' : heading + text;
}
