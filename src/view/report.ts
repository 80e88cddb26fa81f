import type { RunRecord, Store } from '../runtime/index.ts';
import { type AnswerTable, viewAnswers } from './answer-table.ts';
import { type BatchView, viewBatches } from './batch-view.ts';
import { compareRuns, type RunDifference } from './compare-runs.ts';
import { ExperimentReader } from './experiments.ts';
import { type ExperimentsTable, experimentsTable } from './experiments-table.ts';
import { type RunView, viewRun } from './run-view.ts';
import { type Evaluation, type ScoreTable, scoreTables, viewEvaluations } from './score-table.ts';
import { type TrainingView, viewTrainings } from './training-curves.ts';

/** What there is to see of one run or several. */
export interface Report {
  readonly format: 1;
  readonly title: string;
  readonly runs: readonly RunView[];
  readonly trainings: readonly TrainingView[];
  readonly scores: readonly ScoreTable[];
  readonly answers: readonly AnswerTable[];
  /** Of the first run alone, if the others have the same. */
  readonly batches: readonly BatchView[];
  /** Of a sweep's run, or of three runs or more. */
  readonly sweep?: ExperimentsTable;
  /** Of exactly two runs. */
  readonly comparison?: Omit<RunDifference, 'answers'>;
}

/** Reads everything about runs that is in the store; two runs are compared, the first with the second. */
export async function viewReport(store: Store, runs: readonly [RunRecord, ...RunRecord[]]): Promise<Report> {
  const [first, second] = runs;
  const [trainings, evaluations, batches]: [TrainingView[], Evaluation[], BatchView[]] = [[], [], []];
  for (const run of runs) {
    trainings.push(...(await viewTrainings(store, run)));
    evaluations.push(...(await viewEvaluations(store, run)));
  }
  const seen = new Set<string>();
  for (const run of runs)
    for (const batch of await viewBatches(store, run)) {
      const { run: _, ...content } = batch;
      const text = JSON.stringify(content);
      if (!seen.has(text)) batches.push(batch);
      seen.add(text);
    }
  const reader = new ExperimentReader(store);
  const experiments = (await Promise.all(runs.map((run) => reader.read(run)))).flat();
  const isSweep = runs.length > 2 || (first.points ?? []).length > 0;
  const comparison =
    second !== undefined && runs.length === 2
      ? await compareRuns(store, { before: first, after: second })
      : undefined;
  return {
    format: 1,
    title: titleOf(runs),
    runs: runs.map((run) => viewRun(store, run)),
    trainings,
    scores: scoreTables(evaluations),
    answers: await viewAnswers(store, runs),
    batches,
    ...(isSweep ? { sweep: experimentsTable(experiments) } : {}),
    ...(comparison && { comparison: withoutAnswers(comparison) }),
  };
}

/** The report has the answers of both runs in one table. */
function withoutAnswers({ answers: _, ...rest }: RunDifference): Omit<RunDifference, 'answers'> {
  return rest;
}

function titleOf(runs: readonly RunRecord[]): string {
  const names = [...new Set(runs.map(({ pipeline }) => pipeline))].join(', ');
  return runs.length === 1 ? names : `${names}: ${runs.length} runs`;
}
