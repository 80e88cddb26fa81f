import { isList, type JsonObject, RecordProblems, UserError } from '../../core/index.ts';
import type { BenchmarkRow, BenchmarkSource } from '../benchmark.ts';
import { checkTask } from './check-task.ts';
import { contextWriter } from './contexts.ts';
import { documentTexts } from './document-texts.ts';
import { type Documents, readDocuments } from './documents.ts';
import { goldOf, noChoice } from './gold.ts';
import { groupMemberships } from './groups.ts';
import { taskRow } from './row.ts';
import { selectTasks } from './selected-tasks.ts';
import { shotSampler } from './shot-sampler.ts';
import { SplitFiles } from './split-files.ts';
import type { Task } from './task.ts';
import { readTaskIndex } from './task-index.ts';

type TaskSource = Pick<BenchmarkSource, 'path' | 'tasks'> & {
  /** Replaces the tasks' `num_fewshot`. */
  readonly shots: number | undefined;
};

/** The questions of the tasks in a file or folder, each as the task asks it and with how its answers are scored. */
export async function* readTasks({
  path,
  tasks: wanted,
  data,
  shots,
  readRows,
  onNote,
}: BenchmarkSource): AsyncGenerator<BenchmarkRow> {
  const { tasks, notes } = await openTasks({ path, tasks: wanted, shots });
  for (const note of notes) onNote(note);
  const datasets = new Set(tasks.map(({ dataset }) => JSON.stringify([dataset.path, dataset.name])));
  const files = new SplitFiles(data, { isOnlyDataset: datasets.size === 1 });
  for (const task of tasks) yield* readQuestions(task, { files, readRows, onNote });
}

/** The checked tasks of a source. Throws a UserError that names everything that is wrong with them. */
export async function openTasks({ path, tasks: wanted, shots }: TaskSource): Promise<{
  readonly tasks: readonly Task[];
  readonly notes: readonly string[];
}> {
  const index = await readTaskIndex(path);
  const selection = selectTasks(index, wanted);
  const problems: string[] = [];
  const memberships = groupMemberships(selection, problems);
  const checked = selection.tasks.map((task) =>
    checkTask(task, { groups: memberships.get(task.name) ?? [], shots }),
  );
  problems.push(...checked.flatMap((one) => one.problems));
  if (selection.tasks.length === 0) problems.push(...index.skipped);
  if (selection.tasks.length === 0 && problems.length === 0)
    throw new UserError({ code: 'no-task', message: `${path} holds no task` });
  refuse([...new Set(problems)], path);
  return {
    tasks: checked.flatMap(({ task }) => task ?? []),
    notes: [
      ...(wanted === undefined ? skippedNote(index.skipped) : []),
      ...countedNotes(checked.map(({ notes }) => notes)),
    ],
  };
}

/** The most problems that an error names. */
const shown = 20;

function refuse(problems: readonly string[], path: string): void {
  if (problems.length === 0) return;
  const sorted = problems.toSorted(byPlace);
  const more = problems.length > shown ? [`and ${problems.length - shown} more`] : [];
  throw new UserError({
    code: 'unsupported-task',
    message: `the tasks of ${path} cannot be run:\n${[...sorted.slice(0, shown), ...more].map((one) => `  ${one}`).join('\n')}`,
    help: 'a task of yours can `include` the file and write these fields without Python; `tasks` chooses among the tasks of a folder',
  });
}

/** Orders `file:line: ...` by files and lines. */
function byPlace(one: string, other: string): number {
  const [place, otherPlace] = [one, other].map((text) => /^(.*?):(\d+): /.exec(text) ?? ['', '', '0']);
  const [file = '', otherFile = ''] = [place?.[1], otherPlace?.[1]];
  if (file !== otherFile) return file < otherFile ? -1 : 1;
  return Number(place?.[2]) - Number(otherPlace?.[2]);
}

const skippedNote = (skipped: readonly string[]): readonly string[] =>
  skipped.length === 0
    ? []
    : [`${skipped.length} files are read as no tasks, such as ${skipped.slice(0, 3).join(', ')}`];

/** Notes that several tasks have, once. */
function countedNotes(notes: readonly (readonly string[])[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const note of notes.flatMap((own) => [...new Set(own)])) counts.set(note, (counts.get(note) ?? 0) + 1);
  return [...counts].map(([note, count]) =>
    notes.length === 1 ? note : `${count} of ${notes.length} tasks: ${note}`,
  );
}

type Sources = Pick<BenchmarkSource, 'readRows' | 'onNote'> & { readonly files: SplitFiles };

async function* readQuestions(task: Task, sources: Sources): AsyncGenerator<BenchmarkRow> {
  const { documents, columns } = await evaluatedDocuments(task, sources);
  const pool = await shotPool(task, sources);
  const { shots, splits, prompt, outputType, name } = task;
  const sampler = shotSampler({
    ...shots,
    pool,
    // Also where neither is named, as in lm-evaluation-harness.
    excludesQuestion: shots.split === splits.test,
  });
  const texts = documentTexts(prompt, { columns, hasChoices: prompt.doc_to_choice !== undefined });
  const contextOf = contextWriter({ task, columns, texts, shots: sampler });
  const problems = new RecordProblems(`of the task \`${name}\` cannot be asked`);
  let hasSeveral: boolean | undefined;
  let withoutChoice = 0;
  for (const [index, { row: doc, place }] of documents.entries()) {
    const row = problems.collect({ id: `${name}/${index}`, place }, () => {
      const target = texts.target(doc);
      hasSeveral ??= isList(target) && target.length > 0;
      const choices = texts.choices?.(doc);
      const gold = goldOf({ outputType, target, choices, hasSeveral });
      if (gold.indices.includes(noChoice)) withoutChoice += 1;
      const context = outputType === 'loglikelihood_rolling' ? { text: '', shared: 0 } : contextOf(doc);
      return taskRow({ task, doc, context, choices, gold, hasSeveral });
    });
    if (row !== undefined) yield { id: `${name}/${index}`, row, place };
  }
  problems.throwIfAny();
  if (withoutChoice === 0) return;
  const found = `${withoutChoice} of ${documents.length} questions of \`${name}\` have a target that is none of their choices`;
  if (withoutChoice < documents.length)
    return sources.onNote(`${found}: they count as wrong, as in lm-evaluation-harness`);
  throw new UserError({ code: 'no-labels', message: found, help: 'is this the split with labels?' });
}

async function readSplit(
  { dataset }: Task,
  {
    split,
    isOnlySplit,
    files,
    readRows,
  }: { split: string; isOnlySplit: boolean; files: SplitFiles; readRows: BenchmarkSource['readRows'] },
): Promise<Documents> {
  const found = await readDocuments(await files.find(dataset, { split, isOnlySplit }), readRows);
  if (found.documents.length > 0) return found;
  throw new UserError({
    code: 'no-records',
    message: `the split \`${split}\` of ${dataset.path} has no rows`,
  });
}

const evaluatedSplit = ({ splits }: Task): string => splits.test ?? splits.validation ?? '';

function evaluatedDocuments(task: Task, sources: Sources): Promise<Documents> {
  const split = evaluatedSplit(task);
  const isOnlySplit = [undefined, split].includes(shotSplit(task));
  return readSplit(task, { ...sources, split, isOnlySplit });
}

/** The split that examples are drawn from, if any are. */
function shotSplit({ shots, splits }: Task): string | undefined {
  if (shots.count === 0 || (shots.split === undefined && shots.samples !== undefined)) return undefined;
  return shots.split ?? splits.training ?? splits.validation ?? splits.test;
}

async function shotPool(task: Task, sources: Sources): Promise<readonly JsonObject[]> {
  const split = shotSplit(task);
  if (split === undefined) return task.shots.samples ?? [];
  const isOnlySplit = split === evaluatedSplit(task);
  const { documents } = await readSplit(task, { ...sources, split, isOnlySplit });
  return documents.map(({ row }) => row);
}
