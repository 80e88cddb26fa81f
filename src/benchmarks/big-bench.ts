import type { JsonObject } from '../core/index.ts';
import { type Metric, plainly } from '../metrics/index.ts';
import { optionalText, requiredText } from '../text/index.ts';
import type { BenchmarkReader, BenchmarkRow, ExampleTemplate } from './benchmark.ts';
import {
  fieldOf,
  fieldsOf,
  itemsOf,
  type Located,
  numberOf,
  optionalField,
  readJson,
  textOf,
} from './located.ts';
import { numberList, textList } from './row-lists.ts';
import { findFiles, wantedTasks } from './task-files.ts';
import { processed, textsIn } from './task-matches.ts';

/** What a task may say about its prompts, and what holds where it does not (BIG-bench's json_task.py). */
const settings: readonly (readonly [string, string])[] = [
  ['task_prefix', ''],
  ['example_input_prefix', '\nQ: '],
  ['example_output_prefix', '\nA: '],
  ['choice_prefix', '\n  choice: '],
  ['few_shot_example_separator', '\n'],
];

/** BIG-bench's task.json files: a row an example, with what its task says about prompts and scores. */
export const readBigBench: BenchmarkReader = async function* ({ path, tasks }) {
  const files = await findFiles(path, {
    isWanted: (name) => name === 'task.json' || name.endsWith('/task.json'),
    expected: 'folders with a task.json',
  });
  const read = await Promise.all(
    files.map((file) => readJson({ path: file.path, name: file.path }, { allowsLastCommas: true })),
  );
  const byName = new Map(read.map((task) => [textOf(fieldOf(task, 'name')), task]));
  for (const [name, task] of wantedTasks(byName, tasks)) {
    const common = settingsOf(name, task);
    for (const [index, example] of itemsOf(fieldOf(task, 'examples')).entries())
      yield readExample({ example, id: `${name}/${index}`, common });
  }
};

function settingsOf(task: string, at: Located): JsonObject {
  const named = settings.map(([name, usual]) => {
    const given = optionalField(at, name);
    return [name, given === undefined ? usual : textOf(given)] as const;
  });
  const optional = ['stop_string', 'output_regex', 'preferred_score', 'append_choices_to_input', 'metrics'];
  const others = optional.flatMap((name) => {
    const given = optionalField(at, name);
    return given === undefined ? [] : [[name, given.value] as const];
  });
  return { task, append_choices_to_input: true, ...Object.fromEntries([...named, ...others]) };
}

interface Example {
  readonly example: Located;
  readonly id: string;
  readonly common: JsonObject;
}

function readExample({ example, id, common }: Example): BenchmarkRow {
  const input = textOf(fieldOf(example, 'input'));
  const target = optionalField(example, 'target');
  const scores = optionalField(example, 'target_scores');
  const targets =
    target === undefined ? [] : (Array.isArray(target.value) ? itemsOf(target) : [target]).map(textOf);
  const choices =
    scores === undefined ? [] : fieldsOf(scores).map(([choice, score]) => [choice, numberOf(score)] as const);
  if (target === undefined && scores === undefined) fieldOf(example, 'target');
  return {
    id,
    row: {
      ...common,
      input,
      targets,
      ...(scores === undefined
        ? {}
        : { choices: choices.map(([choice]) => choice), choice_scores: choices.map(([, score]) => score) }),
    },
  };
}

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

/** BIG-bench's exact_str_match: what is left of the answer before the task's `stop_string`, or what its `output_regex` finds there. */
export const bigBenchMatch: Metric = {
  higherIsBetter: true,
  reads: 'text',
  rate: ({ response, expected }) => {
    const { fields } = response;
    const answer = processed(response.response ?? '', fields);
    const targets = textsIn(fields.targets) ?? expected;
    return plainly(targets.some((target) => target.trim() === answer) ? 1 : 0);
  },
};
