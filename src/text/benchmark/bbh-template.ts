import type { JsonObject } from '../../json.ts';
import { optionalText, requiredText } from '../template/row-field.ts';
import type { ExampleTemplate } from './example-template.ts';

const step = "Let's think step by step.";

/** BIG-Bench-Hard, asked for the answer alone. Of a chain-of-thought prompt its answers are what stays. */
export const bbhTemplate: ExampleTemplate = {
  write: (row) => ({
    prompt: `Q: ${requiredText(row, 'input')}\nA:`,
    header: ' ',
    response: requiredText(row, 'target'),
  }),
  description: (row) => before(withoutReasoning(optionalText(row, 'cot_prompt'))),
  group: taskOf,
};

/** BIG-Bench-Hard, asked to reason first, after the worked examples that the benchmark has for each task. */
export const bbhCotTemplate: ExampleTemplate = {
  write: (row) => ({
    prompt: `Q: ${requiredText(row, 'input')}\nA: ${step}`,
    header: '\n',
    response: requiredText(row, 'target'),
  }),
  description: (row) => before(optionalText(row, 'cot_prompt')),
  group: taskOf,
};

function taskOf(row: JsonObject): string {
  return optionalText(row, 'task');
}

function before(prompt: string): string {
  return prompt === '' ? '' : `${prompt}\n\n`;
}

/** `A: Let's think step by step. ... So the answer is X.` becomes `A: X`. */
function withoutReasoning(prompt: string): string {
  return prompt
    .split(/\n\n(?=Q: )/)
    .map((part) =>
      part.replace(/\nA: Let's think step by step\.[\s\S]*the answer is ([\s\S]*?)\.?$/, '\nA: $1'),
    )
    .join('\n\n');
}
