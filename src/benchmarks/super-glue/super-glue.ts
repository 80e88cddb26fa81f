import { isObject, type JsonObject, UserError } from '../../core/index.ts';
import { requiredText } from '../../text/index.ts';
import type { Benchmark, BenchmarkRow, BenchmarkSource, Example } from '../benchmark.ts';
import type { BenchmarkFile } from '../benchmark-file.ts';
import { type Labels, labelScorer, labelsByKey } from '../labels.ts';
import {
  fieldOf,
  itemsOf,
  type Located,
  labelOf,
  optionalField,
  placeOf,
  readJson,
  readJsonLines,
  textOf,
} from '../located.ts';
import { labelIndex } from '../row-fields.ts';
import { scoreCollection, scoreLabelTask } from '../task-collection.ts';
import { findFiles, wantedTasks } from '../task-files.ts';
import { multiRc, record } from './answer-sets.ts';
import { type SuperGlueTask, superGlueTasks } from './tasks.ts';

const tasksByName: ReadonlyMap<string, SuperGlueTask> = new Map(Object.entries(superGlueTasks));

/** Predictions are a submission's file: {idx, label}. */
const labelFiles = {
  data: { file: 'the labelled items (JSONL)', example: 'val.jsonl' },
  predictions: { file: 'idx and label (JSONL)', example: 'predictions.jsonl' },
  readGold: readLabels,
  readPredicted: readLabels,
};

/** SuperGLUE (Wang et al. 2019), eight tasks. */
export const superGlue: Benchmark = {
  name: 'superglue',
  layout: {
    records: "the unpacked folders, or one task's JSONL",
    fields:
      "the line's fields, `task`, `label`; MultiRC has a record for each answer, ReCoRD one for each query",
  },
  defaultSplit: 'val',
  read: readFolders,
  templates: { superglue: { write: writeQuestion, group: (row) => requiredText(row, 'task') } },
  metrics: {
    superglue: {
      better: 'higher',
      reads: 'choices',
      measures: "Each task's own figures, with errors or bootstrap intervals, and their mean.",
      source: 'SuperGLUE (Wang et al. 2019)',
      scoreAll: (responses, config) =>
        scoreCollection(responses, {
          name: 'superglue',
          scorerOf: (name) => {
            const task = tasksByName.get(name);
            if (name === 'multirc') return { task, score: (own) => multiRc.scoreResponses(own, config) };
            if (name === 'record') return { task, score: record.scoreResponses };
            const { labelTask, labels = [] } = task ?? {};
            return (
              labelTask && {
                task,
                score: (own) => scoreLabelTask(own, { ...labelTask, labels, of: name, config }),
              }
            );
          },
        }),
    },
  },
  scorers: {
    ...Object.fromEntries(
      [...tasksByName].flatMap(([name, { labelTask }]) =>
        labelTask === undefined ? [] : [[`superglue/${name}`, labelScorer(labelTask, labelFiles)]],
      ),
    ),
    'superglue/multirc': multiRc.scorer,
    'superglue/record': record.scorer,
  },
};

async function readLabels(file: BenchmarkFile): Promise<Labels> {
  const lines = await readJsonLines(file);
  return labelsByKey(
    lines.map((line) => [
      labelOf(fieldOf(line, 'idx')),
      { place: placeOf(line), label: labelOf(fieldOf(line, 'label')) },
    ]),
  );
}

function writeQuestion(row: JsonObject): Example {
  const name = requiredText(row, 'task');
  const task = tasksByName.get(name);
  if (task === undefined)
    throw new UserError({
      code: 'unknown-task',
      message: `SuperGLUE has no task \`${name}\``,
      help: 'read the rows with `as: superglue` in the load stage',
    });
  const { prompt, choices, response } = task.question(row);
  return {
    prompt,
    header: ' ',
    response: response ?? choices[labelIndex(row, task.labels ?? [])] ?? '',
    choices,
  };
}

/** A row has its item's fields with `task`; MultiRC has a row for each answer, ReCoRD one for each query. */
async function* readFolders({ path, split, tasks }: BenchmarkSource): AsyncGenerator<BenchmarkRow> {
  const files = await findFiles(path, {
    isWanted: (name) => taskOfFile(name, split) !== undefined,
    expected: `folders like CB with ${split}.jsonl`,
  });
  if (files[0]?.name === '') return yield* readTask(oneTask(path, tasks), path);
  const byTask = new Map(files.map((file) => [taskOfFile(file.name, split) ?? '', file.path]));
  for (const [task, file] of wantedTasks(byTask, tasks)) yield* readTask(task, file);
}

function taskOfFile(name: string, split: string): string | undefined {
  const [file = '', folder] = name.split('/').reverse();
  if (file !== `${split}.jsonl` && file !== 'record.json') return undefined;
  return [...tasksByName].find(([, task]) => task.folder === folder)?.[0];
}

function oneTask(path: string, tasks: readonly string[] | undefined): string {
  const [task = '', ...others] = tasks ?? [];
  if (tasksByName.has(task) && others.length === 0) return task;
  throw new UserError({
    code: 'one-task',
    message: `${path} is a single file, and \`tasks\` does not name its task`,
    help: `write \`tasks: [cb]\`, or another of ${[...tasksByName.keys()].join(', ')}`,
  });
}

async function* readTask(task: string, path: string): AsyncGenerator<BenchmarkRow> {
  const file = { path, name: path };
  if (task === 'record' && path.endsWith('.json')) {
    const passages = itemsOf(fieldOf(await readJson(file), 'data'));
    for (const passage of passages) yield* readQueries(passage);
    return;
  }
  for (const item of await readJsonLines(file)) {
    const place = { path, line: item.line };
    const rows =
      task === 'record' ? readQueries(item) : task === 'multirc' ? readAnswers(item) : [readItem(item, task)];
    for (const row of rows) yield { ...row, place };
  }
}

function readItem(item: Located, task: string): BenchmarkRow {
  const fields = isObject(item.value) ? item.value : {};
  return {
    id: `${task}/${labelOf(fieldOf(item, 'idx'))}`,
    row: { ...fields, task, label: labelOf(fieldOf(item, 'label')) },
  };
}

function* readAnswers(item: Located): Generator<BenchmarkRow> {
  const passage = fieldOf(item, 'passage');
  const text = textOf(fieldOf(passage, 'text'));
  for (const question of itemsOf(fieldOf(passage, 'questions')))
    for (const answer of itemsOf(fieldOf(question, 'answers'))) {
      const indices = [item, question, answer].map((at) => labelOf(fieldOf(at, 'idx')));
      yield {
        id: `multirc/${indices.join('/')}`,
        row: {
          task: 'multirc',
          paragraph: text,
          question: textOf(fieldOf(question, 'question')),
          answer: textOf(fieldOf(answer, 'text')),
          label: labelOf(fieldOf(answer, 'label')),
          question_id: indices.slice(0, 2).join('/'),
        },
      };
    }
}

/** Entities are given by their first and last character in the passage. */
function* readQueries(item: Located): Generator<BenchmarkRow> {
  const passage = fieldOf(item, 'passage');
  const text = textOf(fieldOf(passage, 'text'));
  const characters = [...text];
  const entities = itemsOf(fieldOf(passage, 'entities')).map((entity) => {
    const [start, end] = [fieldOf(entity, 'start'), fieldOf(entity, 'end')].map(({ value }) => Number(value));
    return characters.slice(start, (end ?? 0) + 1).join('');
  });
  for (const query of itemsOf(fieldOf(item, 'qas'))) {
    const id = labelOf(optionalField(query, 'idx') ?? fieldOf(query, 'id'));
    const answers = itemsOf(fieldOf(query, 'answers')).map((answer) => textOf(fieldOf(answer, 'text')));
    yield {
      id: `record/${id}`,
      row: {
        task: 'record',
        passage: text,
        query: textOf(fieldOf(query, 'query')),
        entities: sorted(entities),
        answers: sorted(answers),
      },
    };
  }
}

const sorted = (texts: readonly string[]): string[] => [...new Set(texts)].sort((a, b) => (a < b ? -1 : 1));
