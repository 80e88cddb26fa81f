import type { Json, JsonObject } from '../core/index.ts';
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
  readonly overridden: boolean;
  readonly params: JsonObject;
  /** `stage metric` -> its value; null where the responses do not define it. */
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly ran: number;
  readonly reused: number;
}

export interface RunTable {
  readonly rows: readonly RunRow[];
  /** Names of params whose values are not the same in all runs of a pipeline. */
  readonly varying: readonly string[];
}

/** The latest runs, the latest first. */
export async function summarizeRuns(project: Project, limit: number): Promise<RunTable> {
  const names = await project.namesByRecord();
  const rows: RunRow[] = [];
  for (const record of await project.runs(limit)) {
    const decisions = Object.values(record.stages).map(({ decision }) => decision);
    const count = (wanted: string) => decisions.filter((decision) => decision === wanted).length;
    const { run, startedAt, outcome, milliseconds, overridden, params } = record;
    rows.push({
      ...{ run, startedAt, outcome, milliseconds, overridden, params },
      pipeline: names.get(record.file) ?? record.file,
      metrics: await metricsOf(project.store, record),
      ran: count('ran'),
      reused: count('reused'),
    });
  }
  return { rows, varying: varyingParams(rows) };
}

function varyingParams(rows: readonly RunRow[]): readonly string[] {
  const seen = new Map<string, Map<string, string>>();
  const varying = new Set<string>();
  for (const { pipeline, params } of rows) {
    const values = seen.get(pipeline) ?? new Map<string, string>();
    seen.set(pipeline, values);
    for (const [name, value] of Object.entries(params)) {
      const text = JSON.stringify(value);
      if ((values.get(name) ?? text) !== text) varying.add(name);
      values.set(name, text);
    }
  }
  return [...varying];
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
    for (const [metric, value] of Object.entries(known)) all[`${stage} ${metric}`] = value;
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
