import { UserError } from '../../core/index.ts';
import type { Benchmark, BenchmarkReader, BenchmarkRow } from '../benchmark.ts';
import { type BenchmarkFile, columnOf, readTsv } from '../benchmark-file.ts';
import { labelsByKey, type PlacedLabel, pairLabels, scoreLabels } from '../labels.ts';
import { findFiles, wantedTasks } from '../task-files.ts';
import { type GlueTask, glueTasks } from './glue-tasks.ts';

/** A task of GLUE. Predictions are a submission's file: the columns `index`, which counts the data's rows from 0, and `prediction`. */
export const glueBenchmark = (task: GlueTask): Benchmark => ({
  summary: task.summary,
  data: { file: 'the labelled rows (TSV)', example: 'dev.tsv' },
  predictions: { file: 'index and prediction (TSV)', example: 'predictions.tsv' },
  score: async ({ data, predictions, resampling }) => {
    const { classes, metrics } = task;
    const gold = await readGold(data, task);
    const predicted = await readPredicted(predictions);
    const pairs = pairLabels({ gold, predicted, name: predictions.name, classes });
    return { metrics: scoreLabels(pairs, { metrics, classes, resampling }), remarks: [] };
  },
});

type Labels = ReadonlyMap<string, PlacedLabel>;

async function readGold(file: BenchmarkFile, { columns, label }: GlueTask): Promise<Labels> {
  const rows = await readTsv(file, columns);
  return new Map(
    rows.map((row, index) => [String(index), { place: row.place, label: columnOf(row, label) }]),
  );
}

async function readPredicted(file: BenchmarkFile): Promise<Labels> {
  const rows = await readTsv(file);
  return labelsByKey(
    rows.map((row) => [columnOf(row, 'index'), { place: row.place, label: columnOf(row, 'prediction') }]),
  );
}

type TaskName = keyof typeof glueTasks;

/** Folder -> task, as GLUE's archives are unpacked. */
const folders: Readonly<Record<TaskName, string>> = {
  cola: 'CoLA',
  'sst-2': 'SST-2',
  mrpc: 'MRPC',
  'sts-b': 'STS-B',
  qqp: 'QQP',
  mnli: 'MNLI',
  qnli: 'QNLI',
  rte: 'RTE',
  wnli: 'WNLI',
};

interface TaskFile {
  readonly path: string;
  readonly task: TaskName;
  /** `mnli` is two tasks: its matched and its mismatched pairs. */
  readonly name: string;
}

/** GLUE's TSV files: a row's columns under their names, with `task` and its label as `label`. */
export const readGlue: BenchmarkReader = async function* ({ path, split = 'dev', tasks }) {
  const files = await findFiles(path, {
    isWanted: (name) => taskFile({ path: '', name }, split) !== undefined,
    expected: `folders like CoLA with ${split}.tsv`,
  });
  const found =
    files[0]?.name === '' ? [oneFile(path, tasks)] : files.flatMap((file) => taskFile(file, split) ?? []);
  const byName = new Map(found.map((file) => [file.name, file]));
  for (const file of wantedTasks(byName, files[0]?.name === '' ? undefined : tasks).values())
    yield* readTask(file);
};

function taskFile({ path, name }: { path: string; name: string }, split: string): TaskFile | undefined {
  const [file = '', folder = ''] = name.split('/').reverse();
  const task = taskNames.find((one) => folders[one] === folder);
  const isMatched = [`${split}.tsv`, `${split}_matched.tsv`].includes(file);
  if (task === undefined || (!isMatched && file !== `${split}_mismatched.tsv`)) return undefined;
  return { path, task, name: isMatched ? task : `${task}-mismatched` };
}

const taskNames = Object.keys(glueTasks).filter((name): name is TaskName => name in glueTasks);

/** A file says nothing of its task: the configuration does. */
function oneFile(path: string, tasks: readonly string[] | undefined): TaskFile {
  const [name = '', ...others] = tasks ?? [];
  const task = taskNames.find((one) => name === one || name === `${one}-mismatched`);
  if (task !== undefined && others.length === 0) return { path, task, name };
  throw new UserError({
    code: 'one-task',
    message: `${path} is a single file, and \`tasks\` does not name its task`,
    help: `write \`tasks: [cola]\`, or another of ${taskNames.join(', ')}`,
  });
}

async function* readTask({ path, task, name }: TaskFile): AsyncGenerator<BenchmarkRow> {
  const { label, columns }: GlueTask = glueTasks[task];
  const rows = await readTsv({ path, name: path }, columns);
  for (const [index, row] of rows.entries())
    yield {
      id: `${name}/${index}`,
      row: { ...row.values, task: name, label: columnOf(row, label) },
      place: { path, line: index + (columns === undefined ? 2 : 1) },
    };
}
