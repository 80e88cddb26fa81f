import type { JsonObject } from '../../json.ts';
import { optionalText, requiredText } from '../template/row-field.ts';
import type { ExampleTemplate } from './example-template.ts';
import { numberList, textList } from './row-lists.ts';

/** BIG-bench's JSON tasks, written with what the task says of its prompts. Choices stand in the order of the file. */
export const bigBenchTemplate: ExampleTemplate = {
  write: (row) => {
    const output = optionalText(row, 'example_output_prefix');
    const choices = row.choices === undefined ? undefined : textList(row, 'choices');
    const prefix = optionalText(row, 'choice_prefix');
    const listed = row.append_choices_to_input === false ? [] : (choices ?? []);
    return {
      prompt: [
        optionalText(row, 'example_input_prefix'),
        requiredText(row, 'input'),
        ...listed.map((choice) => prefix + choice),
        output.trimEnd(),
      ].join(''),
      header: output.slice(output.trimEnd().length),
      response: targetOf(row, choices),
      ...(choices === undefined ? {} : { choices }),
    };
  },
  description: (row) => optionalText(row, 'task_prefix'),
  separator: (row) => optionalText(row, 'few_shot_example_separator'),
  group: (row) => optionalText(row, 'task'),
};

/** The first target, or the first of the choices with the highest score. */
function targetOf(row: JsonObject, choices: readonly string[] | undefined): string {
  const [target] = textList(row, 'targets');
  if (target !== undefined || choices === undefined) return target ?? '';
  const scores = numberList(row, 'choice_scores');
  return choices[scores.indexOf(Math.max(...scores))] ?? '';
}
