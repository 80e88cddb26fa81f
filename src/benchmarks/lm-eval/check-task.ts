import { didYouMean, ExactNumber, isList, isObject, jsonText, numberIn } from '../../core/index.ts';
import { strictTemplate } from '../../text/index.ts';
import { FieldChecker } from './field-checker.ts';
import { filterPipelines } from './filter-list.ts';
import { generationFields } from './generation-fields.ts';
import { outputTypes, taskMetrics } from './metric-list.ts';
import type { SelectedTask } from './selected-tasks.ts';
import type { GroupMembership, PromptFields, ShotFields, Task } from './task.ts';
import type { TaskFields } from './task-index.ts';
import { type YamlValue, yamlValue } from './yaml-value.ts';

interface CheckedTask {
  /** Undefined if anything is wrong. */
  readonly task: Task | undefined;
  /** What is wrong, each with its place. */
  readonly problems: readonly string[];
  /** Fields that lm-evaluation-harness does not heed either. */
  readonly notes: readonly string[];
}

const code = 'is Python code, which tuneloom does not run';
const refused: Readonly<Record<string, string>> = {
  class: code,
  custom_dataset: code,
  process_docs: code,
  process_results: code,
  unsafe_code: 'runs code that a model wrote, which tuneloom does not',
  use_prompt: 'needs the Python package promptsource',
  doc_to_image: 'needs a model that reads images',
  doc_to_audio: 'needs a model that hears',
};

/** The fields that a prompt may have in `fewshot_config`, too. */
const promptNames = [
  'doc_to_text',
  'doc_to_target',
  'doc_to_choice',
  'gen_prefix',
  'target_delimiter',
] as const;

/** A task with its defaults. `shots` replaces its `num_fewshot`, unless that is 0. */
export function checkTask(
  { name, fields }: SelectedTask,
  { groups, shots }: { readonly groups: readonly GroupMembership[]; readonly shots: number | undefined },
): CheckedTask {
  const problems: string[] = [];
  const notes: string[] = [];
  const checker = new FieldChecker(fields, problems);
  for (const [field, reason] of Object.entries(refused)) checker.refuse(field, reason);
  for (const field of ['task', 'task_alias', 'tag']) checker.ignore(field);
  const decontaminates = ['should_decontaminate', 'doc_to_decontamination_query'].map((field) =>
    checker.ignore(field),
  );
  if (decontaminates.includes(true))
    notes.push('`should_decontaminate` and its query change nothing, as in lm-evaluation-harness');
  if (checker.ignore('dataset_kwargs'))
    notes.push('`dataset_kwargs` is not heeded: the rows are those of `data`');
  const outputType = checker.oneOf('output_type', outputTypes) ?? 'generate_until';
  const prompt = promptFields(checker);
  const shotFields = readShots(checker, { prompt, shots, problems, notes });
  const task: Task = {
    name,
    version: versionOf(checker.map('metadata')),
    outputType,
    dataset: { path: checker.text('dataset_path') ?? '', name: checker.text('dataset_name') },
    splits: {
      training: checker.text('training_split'),
      validation: checker.text('validation_split'),
      test: checker.text('test_split'),
    },
    prompt,
    description: checkedTemplate(checker, 'description') ?? '',
    shots: shotFields,
    generation: generationFields(checker, { outputType, delimiter: shotFields.fewshot_delimiter, problems }),
    repeats: checker.number('repeats', { least: 1, isWhole: true }) ?? 1,
    filters: filterPipelines(checker.list('filter_list'), problems),
    metrics: taskMetrics(checker.list('metric_list'), { outputType, problems, notes }),
    groups,
  };
  for (const field of checker.left())
    checker.problem(
      field,
      [`tasks have no field \`${field}\``, didYouMean(field, knownFields)].filter(Boolean).join(': '),
    );
  checkWhole(task, { fields, problems });
  return { task: problems.length === 0 ? task : undefined, problems, notes };
}

const knownFields = [
  ...[
    ...Object.keys(refused),
    ...promptNames,
    'task',
    'tag',
    'dataset_path',
    'dataset_name',
    'training_split',
  ],
  ...[
    'validation_split',
    'test_split',
    'fewshot_split',
    'fewshot_config',
    'fewshot_delimiter',
    'description',
  ],
  ...['num_fewshot', 'output_type', 'generation_kwargs', 'repeats', 'filter_list', 'metric_list', 'metadata'],
];

function versionOf(metadata: YamlValue | undefined): string | undefined {
  const { version } = isObject(metadata?.json) ? metadata.json : {};
  if (version instanceof ExactNumber) return version.text;
  return typeof version === 'string' || typeof version === 'number' ? String(version) : undefined;
}

function promptFields(checker: FieldChecker): PromptFields {
  return {
    doc_to_text: numberOrTemplate(checker, 'doc_to_text') ?? '',
    doc_to_target: targetField(checker) ?? '',
    doc_to_choice: choiceField(checker),
    gen_prefix: checkedTemplate(checker, 'gen_prefix'),
    target_delimiter: checker.text('target_delimiter') ?? ' ',
  };
}

function checkedTemplate(checker: FieldChecker, name: string): string | undefined {
  const source = checker.text(name);
  if (source === undefined) return undefined;
  try {
    strictTemplate(source);
  } catch (error) {
    checker.problem(name, `\`${name}\`: ${error instanceof Error ? error.message : String(error)}`);
  }
  return source;
}

function numberOrTemplate(checker: FieldChecker, name: string): string | number | undefined {
  const json = checker.value(name)?.json;
  const number = numberIn(json);
  return number === undefined ? checkedTemplate(checker, name) : number;
}

function targetField(checker: FieldChecker): PromptFields['doc_to_target'] | undefined {
  const json = checker.value('doc_to_target')?.json;
  return isList(json) ? json : numberOrTemplate(checker, 'doc_to_target');
}

function choiceField(checker: FieldChecker): PromptFields['doc_to_choice'] {
  const json = checker.value('doc_to_choice')?.json;
  if (!isList(json) && !isObject(json)) return checkedTemplate(checker, 'doc_to_choice');
  const choices = isList(json) ? json : Object.values(json);
  const other = choices.find((choice) => typeof choice !== 'string');
  if (other !== undefined)
    checker.problem(
      'doc_to_choice',
      `the choice ${jsonText(other)} is no text: put it in quotation marks (\`yes\`, \`no\`, \`on\` and \`off\` are booleans in YAML 1.1)`,
    );
  return choices;
}

interface ShotContext {
  readonly prompt: PromptFields;
  readonly shots: number | undefined;
  readonly problems: string[];
  readonly notes: string[];
}

/** `fewshot_config` over the fields that a question is written with. */
function readShots(checker: FieldChecker, { prompt, shots, problems, notes }: ShotContext): ShotFields {
  const split = checker.text('fewshot_split');
  const delimiter = checker.text('fewshot_delimiter') ?? '\n\n';
  const own = checker.number('num_fewshot', { least: 0, isWhole: true });
  if (own === 0 && shots !== undefined && shots > 0)
    notes.push('`num_fewshot: 0` of the task stays: its questions are asked without examples');
  const config = checker.map('fewshot_config');
  const fields = config?.fields ?? new Map<string, YamlValue>();
  const inner = new FieldChecker(fields, problems);
  inner.refuse('process_docs', code);
  inner.refuse('fewshot_indices', 'has no effect in lm-evaluation-harness; list the examples as `samples`');
  const given = promptFields(inner);
  const samples = inner.list('samples');
  const chosen = Object.fromEntries(
    promptNames.map((name) => [name, fields.has(name) ? given[name] : prompt[name]]),
  ) as unknown as PromptFields; // each name of the list with its own type
  const ownSplit = inner.text('split') ?? (fields.has('split') ? undefined : split);
  if (ownSplit !== undefined && samples !== undefined)
    inner.problem('samples', '`samples` has no effect beside a split of examples: leave one of them out');
  const shotFields: ShotFields = {
    ...chosen,
    count: own === 0 ? 0 : (shots ?? own ?? 0),
    sampler: inner.oneOf('sampler', ['default', 'first_n']) ?? 'default',
    split: ownSplit,
    samples: samples?.map((sample) => (isObject(sample.json) ? sample.json : {})),
    fewshot_delimiter: inner.text('fewshot_delimiter') ?? delimiter,
  };
  if (samples?.some(({ json }) => !isObject(json)))
    inner.problem('samples', '`samples` must be a list of maps');
  for (const field of inner.left()) inner.problem(field, `\`fewshot_config\` has no field \`${field}\``);
  return shotFields;
}

/** What several fields say together. */
function checkWhole(
  { outputType, prompt, splits, dataset, repeats }: Task,
  { fields, problems }: { readonly fields: TaskFields; readonly problems: string[] },
): void {
  if (problems.length > 0) return;
  const first = [...fields.values()][0] ?? yamlValue({ json: null, place: 'the task' });
  const say = (name: string, message: string) =>
    problems.push(`${(fields.get(name) ?? first).place}: ${message}`);
  if (outputType === 'multiple_choice' && prompt.doc_to_choice === undefined)
    say('output_type', '`output_type: multiple_choice` needs `doc_to_choice`');
  if (typeof prompt.doc_to_text === 'number')
    say('doc_to_text', '`doc_to_text` is an index, for a context for each choice, which is not supported');
  if (!fields.has('doc_to_target')) say('doc_to_target', 'the task has no `doc_to_target`');
  if (splits.test === undefined && splits.validation === undefined)
    say('test_split', 'the task has neither `test_split` nor `validation_split`');
  if (dataset.path === '') say('dataset_path', 'the task has no `dataset_path`');
  if (repeats > 1 && outputType !== 'generate_until')
    say('repeats', `\`repeats\` means nothing with \`output_type: ${outputType}\``);
  for (const split of Object.values(splits))
    if (split !== undefined && /[[\]+]/.test(split))
      say(
        'test_split',
        `the split \`${split}\` is a slice, which is not supported: put its rows into a split`,
      );
}
