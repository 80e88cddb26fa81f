import { type JsonObject, UserError } from '../../core/index.ts';
import { requiredText } from '../../text/index.ts';
import type { Benchmark, BenchmarkRow, BenchmarkSource, Example, Scorer } from '../benchmark.ts';
import { type BenchmarkFile, columnOf, readTsv } from '../benchmark-file.ts';
import { type Labels, labelScorer, labelsByKey } from '../labels.ts';
import { labelIndex, labelText } from '../row-fields.ts';
import { scoreCollection, scoreLabelTask } from '../task-collection.ts';
import { findFiles, soleTask, wantedTasks } from '../task-files.ts';
import { type GlueTask, glueTasks } from './tasks.ts';

/** GLUE (Wang et al. 2019), nine tasks. */
export const glue: Benchmark = {
  name: 'glue',
  layout: {
    records: "the unpacked folders, or one task's TSV",
    fields: "the file's columns, `task`, `label`",
  },
  defaultSplit: 'dev',
  read: readFolders,
  templates: {
    glue: {
      source: 'lm-evaluation-harness; STS-B, which it lacks, asks for a number from 0.0 to 5.0',
      write: writeQuestion,
      group: (row) => requiredText(row, 'task'),
    },
  },
  metrics: {
    glue: {
      better: 'higher',
      reads: 'choices',
      measures: "Each task's own figures, with errors or bootstrap intervals, and their mean.",
      source: 'GLUE (Wang et al. 2019)',
      scoreAll: (responses, config) =>
        scoreCollection(responses, {
          name: 'glue',
          scorerOf: (set) => {
            const task = tasksBySet.get(set);
            return task && { task, score: (own) => scoreLabelTask(own, { ...task, of: set, config }) };
          },
        }),
    },
  },
  scorers: Object.fromEntries(
    Object.entries(glueTasks).map(([name, task]) => [`glue/${name}`, scorerOf(task)]),
  ),
};

/** Rows' `task` -> task. MNLI is one task with two sets, its matched and its mismatched pairs. */
const tasksBySet: ReadonlyMap<string, GlueTask> = new Map<string, GlueTask>([
  ...Object.entries(glueTasks),
  ['mnli-mismatched', glueTasks.mnli],
]);

/** Predictions are a submission's file: the columns `index`, which counts the data's rows from 0, and `prediction`. */
function scorerOf(task: GlueTask): Scorer {
  return labelScorer(task, {
    data: { file: 'the labeled rows (TSV)', example: 'dev.tsv' },
    predictions: { file: 'index and prediction (TSV)', example: 'predictions.tsv' },
    readGold: (file) => readGold(file, task),
    readPredicted,
  });
}

async function readGold(file: BenchmarkFile, { columns, labelColumn }: GlueTask): Promise<Labels> {
  const rows = await readTsv(file, columns);
  return new Map(
    rows.map((row, index) => [String(index), { place: row.place, label: columnOf(row, labelColumn) }]),
  );
}

async function readPredicted(file: BenchmarkFile): Promise<Labels> {
  const rows = await readTsv(file);
  return labelsByKey(
    rows.map((row) => [columnOf(row, 'index'), { place: row.place, label: columnOf(row, 'prediction') }]),
  );
}

function writeQuestion(row: JsonObject): Example {
  const set = requiredText(row, 'task');
  const task = tasksBySet.get(set);
  if (task === undefined)
    throw new UserError({
      code: 'unknown-task',
      message: `GLUE has no task \`${set}\``,
      help: 'read the rows with `as: glue` in the load stage',
    });
  const { prompt, classes, choices } = task;
  const response = classes.length === 0 ? nearestFifth(row) : choices[labelIndex(row, classes)];
  return { prompt: prompt(row), header: ' ', response: response ?? '', choices };
}

const nearestFifth = (row: JsonObject): string =>
  (Math.round(Number(labelText(row, 'label')) * 5) / 5).toFixed(1);

/** A TSV file of one set. */
interface SetFile {
  readonly path: string;
  readonly set: string;
  readonly task: GlueTask;
}

/** A row's columns under their names, with `task` and its label as `label`. */
async function* readFolders({ path, split, tasks }: BenchmarkSource): AsyncGenerator<BenchmarkRow> {
  const files = await findFiles(path, {
    isWanted: (name) => setFile({ path: '', name }, split) !== undefined,
    expected: `folders like CoLA with ${split}.tsv`,
  });
  if (files[0]?.name === '') {
    const help = `write \`tasks: [cola]\`, or another of ${Object.keys(glueTasks).join(', ')}`;
    const [set, task] = soleTask(path, { known: tasksBySet, wanted: tasks, help });
    return yield* readSet({ path, set, task });
  }
  const found = files.flatMap((file) => setFile(file, split) ?? []);
  for (const file of wantedTasks(new Map(found.map((one) => [one.set, one])), tasks).values())
    yield* readSet(file);
}

function setFile({ path, name }: { path: string; name: string }, split: string): SetFile | undefined {
  const [file = '', folder = ''] = name.split('/').reverse();
  for (const [set, task] of tasksBySet) {
    const names =
      set === 'mnli-mismatched' ? [`${split}_mismatched.tsv`] : [`${split}.tsv`, `${split}_matched.tsv`];
    if (task.folder === folder && names.includes(file)) return { path, set, task };
  }
  return undefined;
}

async function* readSet({ path, set, task }: SetFile): AsyncGenerator<BenchmarkRow> {
  const rows = await readTsv({ path, name: path }, task.columns);
  for (const [index, row] of rows.entries())
    yield {
      id: `${set}/${index}`,
      row: { ...row.values, task: set, label: columnOf(row, task.labelColumn) },
      place: { path, line: index + (task.columns === undefined ? 2 : 1) },
    };
}
