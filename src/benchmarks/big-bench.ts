import { type JsonObject, UserError, withinTime } from '../core/index.ts';
import { unweighted } from '../metrics/index.ts';
import { optionalText, requiredText } from '../text/index.ts';
import type { Benchmark, BenchmarkRow, BenchmarkSource, Example } from './benchmark.ts';
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
import { numberList, textList, textsIn } from './row-fields.ts';
import { findFiles, wantedTasks } from './task-files.ts';

/** BIG-bench's JSON tasks (Srivastava et al., Beyond the Imitation Game, 2022). */
export const bigBench: Benchmark = {
  name: 'bigbench',
  layout: {
    records: 'a `task.json`, or folders of them',
    fields: "`input`, `targets`, `choices` and `choice_scores`, and the task's settings for prompts",
  },
  read: readTasks,
  templates: {
    bigbench: {
      source: "the task's settings in task.json; choices in the order of the file",
      write: writeExample,
      description: (row) => optionalText(row, 'task_prefix'),
      separator: (row) => optionalText(row, 'few_shot_example_separator'),
      group: (row) => optionalText(row, 'task'),
    },
  },
  metrics: {
    exact_str_match: {
      better: 'higher',
      reads: 'text',
      measures:
        "The share of answers that equal a target, after the task's `stop_string` and `output_regex` are applied.",
      source: "BIG-bench's exact_str_match",
      scoreOne: ({ response: { response: answer = '', fields }, expected }) => {
        const targets = textsIn(fields.targets) ?? expected;
        const given = processed(answer, fields);
        return unweighted(targets.some((target) => target.trim() === given) ? 1 : 0);
      },
    },
  },
};

/** A task's optional settings for prompts, and their defaults (BIG-bench's json_task.py). */
const settings: readonly (readonly [string, string])[] = [
  ['task_prefix', ''],
  ['example_input_prefix', '\nQ: '],
  ['example_output_prefix', '\nA: '],
  ['choice_prefix', '\n  choice: '],
  ['few_shot_example_separator', '\n'],
];

/** The task.json files: a row for each example, with its task's settings for prompts and scores. */
async function* readTasks({ path, tasks }: BenchmarkSource): AsyncGenerator<BenchmarkRow> {
  const files = await findFiles(path, {
    isWanted: (name) => name === 'task.json' || name.endsWith('/task.json'),
    expected: 'folders with a task.json',
  });
  const read = await Promise.all(
    files.map((file) => readJson({ path: file.path, name: file.path }, { allowsTrailingCommas: true })),
  );
  const byName = new Map(read.map((task) => [textOf(fieldOf(task, 'name')), task]));
  for (const [name, task] of wantedTasks(byName, tasks)) {
    const common = settingsOf(name, task);
    for (const [index, example] of itemsOf(fieldOf(task, 'examples')).entries())
      yield { id: `${name}/${index}`, row: { ...common, ...rowOf(example) } };
  }
}

function settingsOf(task: string, at: Located): JsonObject {
  const named = settings.map(([name, byDefault]) => {
    const given = optionalField(at, name);
    return [name, given === undefined ? byDefault : textOf(given)] as const;
  });
  const optional = ['stop_string', 'output_regex', 'preferred_score', 'append_choices_to_input', 'metrics'];
  const others = optional.flatMap((name) => {
    const given = optionalField(at, name);
    return given === undefined ? [] : [[name, given.value] as const];
  });
  return { task, append_choices_to_input: true, ...Object.fromEntries([...named, ...others]) };
}

function rowOf(example: Located): JsonObject {
  const input = textOf(fieldOf(example, 'input'));
  const target = optionalField(example, 'target');
  const scores = optionalField(example, 'target_scores');
  const targets =
    target === undefined ? [] : (Array.isArray(target.value) ? itemsOf(target) : [target]).map(textOf);
  const choices =
    scores === undefined ? [] : fieldsOf(scores).map(([choice, score]) => [choice, numberOf(score)] as const);
  if (target === undefined && scores === undefined) fieldOf(example, 'target');
  return {
    input,
    targets,
    ...(scores === undefined
      ? {}
      : { choices: choices.map(([choice]) => choice), choice_scores: choices.map(([, score]) => score) }),
  };
}

/** Writes a row with its task's prefixes. Choices keep the order of the file. */
function writeExample(row: JsonObject): Example {
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
}

/** The first target, or the first of the choices with the highest score. */
function targetOf(row: JsonObject, choices: readonly string[] | undefined): string {
  const [target] = textList(row, 'targets');
  if (target !== undefined || choices === undefined) return target ?? '';
  const scores = numberList(row, 'choice_scores');
  return choices[scores.indexOf(Math.max(...scores))] ?? '';
}

/** What remains of an answer: the part before the task's `stop_string`, or what its `output_regex` finds there. */
function processed(text: string, { stop_string: stop, output_regex: pattern }: JsonObject): string {
  const ended = typeof stop === 'string' && stop !== '' ? (text.split(stop)[0] ?? '') : text;
  if (typeof pattern !== 'string') return ended.trim();
  const found = withinTime(patience, () => patternOf(pattern).exec(ended))?.value ?? null;
  return (found === null ? '' : (found[1] ?? found[0])).trim();
}

/** In milliseconds: a pattern comes with the data, and may take forever. */
const patience = 1000;

function patternOf(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch (cause) {
    throw new UserError({
      code: 'bad-pattern',
      message: `the task's output_regex ${JSON.stringify(source)} is no regular expression`,
      cause,
    });
  }
}
