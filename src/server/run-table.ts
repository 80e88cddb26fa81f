import type { Json } from '../core/index.ts';
import { contentState, openContent, type RunRecord, type Store } from '../runtime/index.ts';
import { portCodecs } from '../stages/index.ts';
import type { Project } from './project.ts';

/** A run as a row of the experiments table. */
export interface RunRow {
  readonly run: string;
  /** The pipeline's file from the project's folder. */
  readonly pipeline: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly outcome: RunRecord['outcome'];
  readonly milliseconds: number;
  readonly ran: number;
  readonly reused: number;
}

/** A param, a loss or a score of every run. */
export interface RunColumn {
  readonly kind: 'param' | 'field' | 'loss' | 'score';
  readonly name: string;
  readonly higherIsBetter?: boolean;
  /** In the order of the rows; null where a run has none. */
  readonly cells: readonly Json[];
}

export interface RunTable {
  readonly rows: readonly RunRow[];
  readonly columns: readonly RunColumn[];
}

/** The latest runs, the latest first. */
export async function summarizeRuns(project: Project, limit: number): Promise<RunTable> {
  const names = await project.namesByRecord();
  const records = await project.runs(limit);
  const metrics = await Promise.all(records.map((record) => metricsOf(project.store, record)));
  const rows = records.map((record): RunRow => {
    const decisions = Object.values(record.stages).map(({ decision }) => decision);
    const count = (wanted: string) => decisions.filter((decision) => decision === wanted).length;
    const { run, startedAt, outcome, milliseconds } = record;
    const pipeline = names.get(record.file) ?? record.file;
    return {
      ...{ run, startedAt, outcome, milliseconds, pipeline },
      ran: count('ran'),
      reused: count('reused'),
    };
  });
  const column = (kind: RunColumn['kind'], name: string, cells: readonly Json[]) => ({ kind, name, cells });
  const params = [...new Set(records.flatMap((record) => Object.keys(record.params)))];
  const scores = [...new Set(metrics.flatMap(Object.keys))];
  return {
    rows,
    columns: [
      ...params
        .map((name) =>
          column(
            'param',
            name,
            records.map((record) => record.params[name] ?? null),
          ),
        )
        .filter(({ cells }) => new Set(cells.map((cell) => JSON.stringify(cell))).size > 1),
      ...scores.map((name) =>
        column(
          'score',
          name,
          metrics.map((own) => own[name] ?? null),
        ),
      ),
    ],
  };
}

/** By digest: contents never change. */
const kept = new Map<string, Readonly<Record<string, number | null>>>();
const mostKept = 5000;

async function metricsOf(
  store: Store,
  { stages }: RunRecord,
): Promise<Readonly<Record<string, number | null>>> {
  const all: Record<string, number | null> = {};
  for (const [stage, outcome] of Object.entries(stages)) {
    const digest = 'outputs' in outcome ? outcome.outputs.scores : undefined;
    if (typeof digest !== 'string') continue;
    const known = kept.get(digest) ?? (await readMetrics(store, digest));
    if (known === undefined) continue;
    if (kept.size > mostKept) kept.clear();
    kept.set(digest, known);
    for (const [metric, value] of Object.entries(known)) all[`${stage}.${metric}`] = value;
  }
  return all;
}

/** Undefined if gc has removed the scores, or a user's stage wrote something else under this name. */
async function readMetrics(store: Store, digest: Parameters<typeof openContent>[1]) {
  if ((await contentState(store, digest)) !== 'present') return undefined;
  await using content = await openContent(store, digest);
  try {
    const { metrics } = await portCodecs.scores.read(content.path).read();
    const main = metrics.filter(({ of }) => of === undefined);
    return Object.fromEntries(main.map(({ metric, value }) => [metric, finite(value)]));
  } catch {
    return undefined;
  }
}

const finite = (value: Json): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;
