import { isObject, UserError } from '../../core/index.ts';
import type { Benchmark, BenchmarkReader, BenchmarkRow } from '../benchmark.ts';
import type { BenchmarkFile } from '../benchmark-file.ts';
import { type LabelMetric, labelsByKey, type PlacedLabel, pairLabels, scoreLabels } from '../labels.ts';
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
import { findFiles, wantedTasks } from '../task-files.ts';

/** A task of SuperGLUE with one label a line. Predictions are a submission's file: {idx, label}. */
export const superGlueBenchmark = (task: SuperGlueTask): Benchmark => ({
  summary: task.summary,
  data: { file: 'the labelled items (JSONL)', example: 'val.jsonl' },
  predictions: { file: 'idx and label (JSONL)', example: 'predictions.jsonl' },
  score: async ({ data, predictions, resampling }) => {
    const { classes, metrics } = task;
    const gold = await readLabels(data);
    const predicted = await readLabels(predictions);
    const pairs = pairLabels({ gold, predicted, name: predictions.name, classes });
    return { metrics: scoreLabels(pairs, { metrics, classes, resampling }), remarks: [] };
  },
});

async function readLabels(file: BenchmarkFile): Promise<ReadonlyMap<string, PlacedLabel>> {
  const lines = await readJsonLines(file);
  return labelsByKey(
    lines.map((line) => [
      labelOf(fieldOf(line, 'idx')),
      { place: placeOf(line), label: labelOf(fieldOf(line, 'label')) },
    ]),
  );
}

interface SuperGlueTask {
  readonly summary: string;
  readonly classes: readonly string[];
  readonly metrics: readonly LabelMetric[];
}

const truth = ['true', 'false'];

/** The six tasks with one label a line (Wang et al., SuperGLUE, 2019); MultiRC and ReCoRD are scored apart. */
export const superGlueTasks = {
  boolq: { summary: 'yes or no, accuracy', classes: truth, metrics: ['accuracy'] },
  cb: {
    summary: 'commitment, accuracy and mean F1',
    classes: ['entailment', 'contradiction', 'neutral'],
    metrics: ['accuracy', 'macro_f1'],
  },
  copa: { summary: 'cause or effect, accuracy', classes: ['0', '1'], metrics: ['accuracy'] },
  rte: { summary: 'entailment, accuracy', classes: ['entailment', 'not_entailment'], metrics: ['accuracy'] },
  wic: { summary: 'words in context, accuracy', classes: truth, metrics: ['accuracy'] },
  wsc: { summary: 'pronouns, accuracy', classes: truth, metrics: ['accuracy'] },
} satisfies Readonly<Record<string, SuperGlueTask>>;

/** Folder -> task, as SuperGLUE's archives are unpacked. */
const tasksByFolder: ReadonlyMap<string, string> = new Map([
  ['BoolQ', 'boolq'],
  ['CB', 'cb'],
  ['COPA', 'copa'],
  ['MultiRC', 'multirc'],
  ['ReCoRD', 'record'],
  ['RTE', 'rte'],
  ['WiC', 'wic'],
  ['WSC', 'wsc'],
]);

/** SuperGLUE's JSONL files: a row's fields with `task`; MultiRC a row an answer, ReCoRD a row a query. */
export const readSuperGlue: BenchmarkReader = async function* ({ path, split = 'val', tasks }) {
  const isWanted = (name: string) => {
    const [file, folder = ''] = name.split('/').reverse();
    return tasksByFolder.has(folder) && (file === `${split}.jsonl` || file === 'record.json');
  };
  const files = await findFiles(path, { isWanted, expected: `folders like CB with ${split}.jsonl` });
  if (files[0]?.name === '') return yield* readTask(oneTask(path, tasks), path);
  const byTask = new Map(
    files.map((file) => [tasksByFolder.get(file.name.split('/').at(-2) ?? '') ?? '', file.path]),
  );
  for (const [task, file] of wantedTasks(byTask, tasks)) yield* readTask(task, file);
};

function oneTask(path: string, tasks: readonly string[] | undefined): string {
  const [task = '', ...others] = tasks ?? [];
  const names = [...tasksByFolder.values()];
  if (names.includes(task) && others.length === 0) return task;
  throw new UserError({
    code: 'one-task',
    message: `${path} is a single file, and \`tasks\` does not name its task`,
    help: `write \`tasks: [cb]\`, or another of ${names.join(', ')}`,
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
    const place = { path, line: Number(item.file.slice(path.length + 1)) };
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

/** Entities are given by where they stand in the passage, the end included. */
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
