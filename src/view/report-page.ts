import { gzipSync } from 'node:zlib';
import type { AnswerColumn, AnswerRow, AnswerTable } from './answer-table.ts';
import type { BatchView } from './batch-view.ts';
import type { RunDifference } from './compare-runs.ts';
import type { CurvePoint, Curves } from './curves.ts';
import { type DagLayout, layOutDag } from './dag-layout.ts';
import type { ExperimentCell, ExperimentColumn, ExperimentsTable } from './experiments-table.ts';
import type { Report } from './report.ts';
import type { RunView } from './run-view.ts';
import type { ScoreTable } from './score-table.ts';
import type { TrainingView } from './training-curves.ts';

/** The data of a report's page: what it shows at once. The rows of answers are apart, compressed. */
export interface ReportPage {
  readonly title: string;
  readonly made_by: string;
  readonly runs: readonly (RunView & { readonly layout: DagLayout })[];
  readonly trainings: readonly TrainingPage[];
  readonly scores: readonly (ScoreTable & { readonly baseline?: number; readonly plot?: string })[];
  readonly answers: readonly AnswerIndex[];
  readonly batches: readonly BatchView[];
  readonly sweep?: SweepPage & { readonly plot?: string };
  readonly comparison?: Omit<RunDifference, 'answers'>;
  /** A drawing of several trainings over each other, as SVG. */
  readonly overlay?: string;
}

export interface TrainingPage
  extends Omit<TrainingView, 'curves'>,
    Pick<Curves, 'best_step' | 'best_by' | 'kept_step' | 'overfitting'> {
  /** The evaluations' losses; evenly chosen where there are many. */
  readonly evaluations: readonly EvaluationRow[];
  /** How many there are. */
  readonly evaluation_count: number;
  /** As SVG. */
  readonly plot: string;
}

/** JSON has null, and no undefined, in a list. */
export interface SweepPage extends Pick<ExperimentsTable, 'experiments'> {
  readonly columns: readonly (Omit<ExperimentColumn, 'cells'> & {
    readonly cells: readonly (ExperimentCell | null)[];
  })[];
}

const sweepPage = ({ experiments, columns }: ExperimentsTable): SweepPage => ({
  experiments,
  columns: columns.map((column) => ({ ...column, cells: column.cells.map((cell) => cell ?? null) })),
});

export interface EvaluationRow {
  readonly step: number;
  readonly epoch: number;
  readonly train?: number;
  readonly validation?: number;
  /** Losses of several validation sets and scores of answers, by their names. */
  readonly measures?: Readonly<Record<string, number>>;
}

/** A table of answers without its rows. */
export interface AnswerIndex {
  readonly columns: readonly AnswerColumn[];
  readonly count: number;
  /** The column that the last one is compared with; absent for a single column. */
  readonly baseline?: number;
  /** Rows in a chunk; the last may have fewer. */
  readonly chunk_rows: number;
  /** A byte for each row, gzip in base64. */
  readonly flags: string;
  /** The bit of each flag, and how many rows have it. */
  readonly filters: readonly { readonly name: AnswerFlag; readonly bit: number; readonly count: number }[];
}

/** `wrong` is about the last column, the others about the last beside the baseline. */
export type AnswerFlag = 'changed' | 'wrong' | 'worse' | 'better';

const bits = { changed: 1, wrong: 2, worse: 4, better: 8 } as const satisfies Record<AnswerFlag, number>;
const flagNames = ['changed', 'wrong', 'worse', 'better'] as const satisfies readonly AnswerFlag[];

/** As SVG, drawn for a page. */
export interface Plots {
  readonly trainings: readonly string[];
  readonly overlay?: string;
  /** By table; undefined where a drawing says nothing more than the table. */
  readonly scores: readonly (string | undefined)[];
  readonly sweep?: string;
}

/** Brings a report into the form of its page. */
export function reportPage(report: Report, { plots, madeBy }: { plots: Plots; madeBy: string }): ReportPage {
  const { title, runs, trainings, scores, answers, batches, sweep, comparison } = report;
  return {
    title,
    made_by: madeBy,
    runs: runs.map((run) => ({ ...run, layout: layOutDag(run) })),
    trainings: trainings.map((training, index) => trainingPage(training, plots.trainings[index] ?? '')),
    ...(plots.overlay === undefined ? {} : { overlay: plots.overlay }),
    scores: scores.map((table, index) => {
      const baseline = baselineOf(table.columns, runs.length);
      return { ...withPlot(table, plots.scores[index]), ...(baseline === undefined ? {} : { baseline }) };
    }),
    answers: answers.map((table) => indexOf(table, runs.length)),
    batches,
    ...(sweep && { sweep: withPlot(sweepPage(sweep), plots.sweep) }),
    ...(comparison && { comparison }),
  };
}

const withPlot = <Value extends object>(
  value: Value,
  plot: string | undefined,
): Value & { readonly plot?: string } => (plot === undefined ? value : { ...value, plot });

const MOST_EVALUATIONS = 200;

function trainingPage({ curves, ...training }: TrainingView, plot: string): TrainingPage {
  const { best_step, best_by, kept_step, overfitting } = curves;
  const rows = evaluationRows(curves);
  return {
    ...training,
    ...(best_step === undefined ? {} : { best_step }),
    ...(best_by === undefined ? {} : { best_by }),
    ...(kept_step === undefined ? {} : { kept_step }),
    ...(overfitting && { overfitting }),
    evaluations: evenly(rows, MOST_EVALUATIONS),
    evaluation_count: rows.length,
    plot,
  };
}

function evaluationRows({
  train,
  validation,
  validation_set,
  measures = {},
}: Curves): readonly EvaluationRow[] {
  const at = (points: readonly CurvePoint[]) => new Map(points.map((point) => [point.step, point] as const));
  const [trained, validated] = [at(train), at(validation_set === undefined ? validation : [])];
  const measured = Object.entries(measures).map(([name, points]) => [name, at(points)] as const);
  const all = [trained, validated, ...measured.map(([, points]) => points)];
  const steps = [...new Set(all.flatMap((points) => [...points.keys()]))].sort((a, b) => a - b);
  return steps.map((step) => {
    const [one, other] = [trained.get(step), validated.get(step)];
    const others = measured.flatMap(([name, points]) => {
      const value = points.get(step)?.value;
      return value === undefined ? [] : [[name, value] as const];
    });
    return {
      step,
      epoch: all.flatMap((points) => points.get(step)?.epoch ?? [])[0] ?? 0,
      ...(one && { train: one.value }),
      ...(other && { validation: other.value }),
      ...(others.length > 0 && { measures: Object.fromEntries(others) }),
    };
  });
}

/** At most so many of the items, with the first and the last. */
const evenly = <Item>(items: readonly Item[], most: number): readonly Item[] =>
  items.length <= most
    ? items
    : items.filter(
        (_, index) =>
          index === 0 ||
          index === items.length - 1 ||
          Math.floor((index * most) / items.length) !== Math.floor(((index - 1) * most) / items.length),
      );

const CHUNK_ROWS = 500;

/** The column that the last one is compared with: of two runs the other run's, else the first. */
export const baselineOf = (columns: readonly unknown[], runs: number): number | undefined =>
  columns.length < 2 ? undefined : runs === 2 ? columns.length - 2 : 0;

function indexOf({ columns, rows }: AnswerTable, runs: number): AnswerIndex {
  const sign = columns.at(-1)?.higher_is_better === false ? -1 : 1;
  const baseline = baselineOf(columns, runs);
  const flags = Uint8Array.from(rows, (row) => flagsOf(row, { sign, baseline }));
  return {
    columns,
    count: rows.length,
    ...(baseline === undefined ? {} : { baseline }),
    chunk_rows: CHUNK_ROWS,
    flags: compressed(flags),
    filters: flagNames.map((name) => ({
      name,
      bit: bits[name],
      count: flags.reduce((sum, own) => sum + Number((own & bits[name]) !== 0), 0),
    })),
  };
}

/** `sign` is -1 where a lower score is better. */
function flagsOf(
  { answers }: AnswerRow,
  { sign, baseline }: { readonly sign: number; readonly baseline: number | undefined },
): number {
  const last = answers.at(-1);
  const first = baseline === undefined ? last : answers[baseline];
  const gain = sign * (worthOf(last) - worthOf(first));
  return (
    (first?.text === last?.text ? 0 : bits.changed) |
    (last?.right === false ? bits.wrong : 0) |
    (gain < 0 ? bits.worse : 0) |
    (gain > 0 ? bits.better : 0)
  );
}

const worthOf = (answer: AnswerRow['answers'][number] | undefined): number =>
  answer?.score ?? (answer?.right === undefined ? Number.NaN : Number(answer.right));

/** The rows of a table in chunks, each gzip in base64 of a JSON list. */
export const answerChunks = ({ rows }: AnswerTable): readonly string[] =>
  Array.from({ length: Math.ceil(rows.length / CHUNK_ROWS) }, (_, chunk) =>
    compressed(JSON.stringify(rows.slice(chunk * CHUNK_ROWS, (chunk + 1) * CHUNK_ROWS))),
  );

const compressed = (content: string | Uint8Array): string => gzipSync(content).toString('base64');
