import { type JsonObject, UserError } from '../../core/index.ts';
import { requiredText } from '../../text/index.ts';
import type { Benchmark, BenchmarkRow, BenchmarkSource, Example } from '../benchmark.ts';
import { fieldOf, itemsOf, readJson, readJsonLines } from '../located.ts';
import { labelIndex } from '../row-fields.ts';
import { scoreCollection } from '../task-collection.ts';
import { findFiles, soleTask, wantedTasks } from '../task-files.ts';
import { labelTasks } from './label-tasks.ts';
import { multiRc } from './multi-rc.ts';
import { record } from './record.ts';
import type { SuperGlueTask } from './super-glue-task.ts';

const tasks: ReadonlyMap<string, SuperGlueTask> = new Map(
  Object.entries({ ...labelTasks, multirc: multiRc, record }),
);

/** SuperGLUE (Wang et al. 2019): eight tasks, and two diagnostic sets, which are read only if `tasks` names them. */
export const superGlue: Benchmark = {
  name: 'superglue',
  layout: {
    records: "the unpacked folders, or one task's JSONL",
    fields:
      "the line's fields, `task`, `label`; MultiRC has a record for each answer, ReCoRD one for each query; the diagnostic sets AX-b and AX-g (`tasks: [axb]`) keep their fields",
  },
  defaultSplit: 'val',
  read: readFolders,
  templates: {
    superglue: {
      source: 'lm-evaluation-harness',
      write: writeQuestion,
      group: (row) => requiredText(row, 'task'),
    },
  },
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
            const task = tasks.get(name);
            return (
              task && {
                task,
                score: (own) => task.scoreResponses(own, config),
                counts: (metric) => task.counted?.includes(metric) ?? true,
              }
            );
          },
        }),
    },
  },
  scorers: Object.fromEntries([...tasks].map(([name, { scorer }]) => [`superglue/${name}`, scorer])),
};

function writeQuestion(row: JsonObject): Example {
  const name = requiredText(row, 'task');
  const task = tasks.get(name);
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

/** A row has its item's fields with `task`; MultiRC has a row for each candidate, ReCoRD one for each query. */
async function* readFolders({ path, split, tasks: wanted }: BenchmarkSource): AsyncGenerator<BenchmarkRow> {
  const files = await findFiles(path, {
    isWanted: (name) => taskOfFile(name, split) !== undefined,
    expected: `folders like CB with ${split}.jsonl`,
  });
  if (files[0]?.name === '') {
    const help = `write \`tasks: [cb]\`, or another of ${[...tasks.keys()].join(', ')}`;
    const [, task] = soleTask(path, { known: tasks, wanted, help });
    return yield* readFile(path, task);
  }
  const found = files.flatMap(({ name, path: file }) => {
    const [task, declared] = taskOfFile(name, split) ?? [];
    return task === undefined || declared === undefined ? [] : [[task, { file, declared }] as const];
  });
  const eight = found.flatMap(([name, { declared }]) => (declared.counted?.length === 0 ? [] : [name]));
  for (const { file, declared } of wantedTasks(new Map(found), wanted ?? eight).values())
    yield* readFile(file, declared);
}

function taskOfFile(name: string, split: string): readonly [string, SuperGlueTask] | undefined {
  const [file = '', folder] = name.split('/').reverse();
  if (file !== `${split}.jsonl` && file !== 'record.json' && file !== `${folder}.jsonl`) return undefined;
  return [...tasks].find(([, task]) => task.folder === folder);
}

/** Lines, or ReCoRD's original JSON, whose passages have the layout of its lines. */
async function* readFile(path: string, task: SuperGlueTask): AsyncGenerator<BenchmarkRow> {
  const file = { path, name: path };
  if (task === record && path.endsWith('.json')) {
    for (const passage of itemsOf(fieldOf(await readJson(file), 'data'))) yield* task.readRows(passage);
    return;
  }
  for (const item of await readJsonLines(file))
    for (const row of task.readRows(item)) yield { ...row, place: { path, line: item.line } };
}
