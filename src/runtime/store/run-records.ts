import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { type FaultyRecord, isObject, type Json, type JsonObject, own } from '../../core/index.ts';
import { type PortContent, parsePortContent } from '../key/digest.ts';
import type { CacheKey } from '../key/key-material.ts';
import type { Failure } from '../stage/run-event.ts';
import type { Fingerprint } from './action-records.ts';
import { isOnThisHost, isProcessIdentity, mayBeAlive, type ProcessIdentity } from './process-identity.ts';
import { parseSealed, sealJson } from './sealed-json.ts';
import type { Store } from './store.ts';
import { writeAtomically } from './store-file.ts';
import { runPath, storeLayout } from './store-layout.ts';
import { hasErrorCode } from './system-error.ts';

/** What a run did, and why: `runs/<time>-<id>.json`, written when the run starts and again when it ends. */
export interface RunRecord {
  readonly format: 1;
  readonly run: string;
  readonly pipeline: string;
  /** Tells apart the projects of a store; a hash, since their paths are private. Absent in older records. */
  readonly project?: string;
  /** The pipeline file's path from the store's parent folder, or its bare name if it is not below that. */
  readonly file: string;
  readonly params: JsonObject;
  readonly overridden: boolean;
  /** A command's own, to open a model: no experiment. */
  readonly unlisted?: true;
  /** Of a sweep: each point's label, its params, and its stages' ids in the pipeline with those in `stages`. */
  readonly points?: readonly RunPoint[];
  /** Empty: the whole pipeline. */
  readonly targets: readonly string[];
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly milliseconds: number;
  /** `running` until the run ends, `killed` if its process is gone before that. */
  readonly outcome: RunOutcome | 'running' | 'killed';
  readonly process: ProcessIdentity;
  readonly fingerprint: Fingerprint;
  readonly stages: Readonly<Record<string, StageOutcome>>;
}

/** A point of a sweep in the record of a run. */
export interface RunPoint {
  readonly label: string;
  readonly params: JsonObject;
  readonly stages: Readonly<Record<string, string>>;
}

/** A pipeline file's path in a run record, without the folders around the project: other people may share the store. */
export function recordedPath({ root }: Store, file: string): string {
  const path = relative(dirname(root), file).split(sep).join('/');
  return path.startsWith('../') ? basename(file) : path;
}

export type RunOutcome = 'succeeded' | 'failed' | 'interrupted';

/** How a run ended for one of its stages. */
export type StageOutcome =
  | {
      readonly decision: 'reused';
      readonly uses: string;
      readonly key: CacheKey;
      readonly outputs: Readonly<Record<string, PortContent>>;
    }
  | {
      readonly decision: 'ran';
      readonly uses: string;
      readonly key: CacheKey;
      readonly reason: string;
      readonly outputs: Readonly<Record<string, PortContent>>;
      readonly milliseconds: number;
      readonly attempts: number;
      readonly measurements: Readonly<Record<string, Json>>;
    }
  | {
      readonly decision: 'failed';
      readonly uses: string;
      readonly key: CacheKey;
      readonly reason: string;
      readonly failure: Failure;
      readonly milliseconds: number;
      readonly attempts: number;
      readonly logPath?: string;
    }
  | { readonly decision: 'skipped'; readonly uses: string; readonly because: string };

/** A new run's id. Later ids sort after earlier ones. */
export const newRunId = (now: Date): string =>
  `${now.toISOString().replaceAll(':', '-').replace('.', '-')}-${randomBytes(3).toString('hex')}`;

/** The ids of all runs, the latest first. */
export function listRunIds(store: Store): readonly string[] {
  try {
    const names = readdirSync(join(store.root, storeLayout.runs)).filter((name) => name.endsWith('.json'));
    return names
      .map((name) => name.slice(0, -'.json'.length))
      .sort()
      .reverse();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

/** A run's record; undefined if there is none or it cannot be read. */
export function readRun(store: Store, run: string): RunRecord | undefined {
  if (run.includes('/') || run.includes('\\')) return undefined;
  try {
    const value = parseSealed(readFileSync(join(store.root, runPath(run)), 'utf8'));
    const record = parseRunRecord(value);
    return record && withItsEnd(record);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG') || error instanceof SyntaxError)
      return undefined;
    throw error;
  }
}

/** The experiments, the latest first, without records that cannot be read. */
export function* listRuns(store: Store): Generator<RunRecord> {
  for (const run of listRunIds(store)) {
    const record = readRun(store, run);
    if (record !== undefined && !record.unlisted) yield record;
  }
}

/** Writes the record when the run starts, and again when it ends. */
export async function writeRun(store: Store, record: RunRecord): Promise<void> {
  const path = join(store.root, runPath(record.run));
  const durable = record.outcome !== 'running';
  const content = sealJson(JSON.stringify(record, null, 1));
  await writeAtomically({ root: store.root, path, content, durable });
}

/** A running run whose process is gone has been killed. */
const withItsEnd = (record: RunRecord): RunRecord =>
  record.outcome === 'running' && !mayBeAlive(record.process) ? { ...record, outcome: 'killed' } : record;

type Fields = Readonly<Record<string, Check>>;
type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number';
const isOneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
const orAbsent =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const isMapOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);
const has =
  (fields: Fields): Check =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([name, check]) => check(own(value, name)));

const place = has({ path: isText, line: isNumber });
const faultyRecord = has({ id: orAbsent(isText), problem: orAbsent(isText), place: orAbsent(place) });

/** Checks the records that a failure or a note names. */
export const isFaultyRecords = (value: unknown): value is readonly FaultyRecord[] =>
  isListOf(faultyRecord)(value);

/** Kind -> the fields that code which shows a failure relies on. */
const failures: Readonly<Record<Failure['kind'], Fields>> = {
  'stage-error': {
    message: isText,
    help: orAbsent(isText),
    records: orAbsent(isFaultyRecords),
    otherRecords: orAbsent(isNumber),
  },
  bug: { message: isText, stack: isText },
  timeout: { milliseconds: isNumber },
  killed: { signal: isText, message: isText },
  exited: { exitCode: isNumber, message: isText },
  'missing-output': { output: isText },
  'source-changed': { path: isText },
  'input-changed': { name: isText, where: isOneOf('given', 'stored') },
  storage: { code: isText, path: isText, message: isText },
  interrupted: {},
};

const hasFailureFields = isTagged('kind', failures);

/** Checks a failure, since a store from elsewhere or a user's stage may give anything. */
export const isFailure = (value: unknown): value is Failure => hasFailureFields(value);

const isOutputs = isMapOf((value) => parsePortContent(value) !== undefined);
const work = { uses: isText, key: isText, reason: isText, milliseconds: isNumber, attempts: isNumber };

/** Decision -> the fields beside it. */
const outcomes: Readonly<Record<StageOutcome['decision'], Fields>> = {
  reused: { uses: isText, key: isText, outputs: isOutputs },
  ran: { ...work, outputs: isOutputs, measurements: isObject },
  failed: { ...work, failure: isFailure, logPath: orAbsent(isText) },
  skipped: { uses: isText, because: isText },
};

const isRunRecord = has({
  format: isOneOf(1),
  run: isText,
  pipeline: isText,
  project: orAbsent(isText),
  file: isText,
  params: isObject,
  overridden: isOneOf(true, false),
  unlisted: isOneOf(true, undefined),
  points: orAbsent(isListOf(has({ label: isText, params: isObject, stages: isMapOf(isText) }))),
  targets: isListOf(isText),
  startedAt: isText,
  milliseconds: isNumber,
  outcome: isOneOf('succeeded', 'failed', 'interrupted', 'running', 'killed'),
  process: isProcessIdentity,
  stages: isMapOf(isTagged('decision', outcomes)),
});

function isTagged(tag: string, variants: Readonly<Record<string, Fields>>): Check {
  return (value) => {
    const name = isObject(value) ? own(value, tag) : undefined;
    return typeof name === 'string' && Object.hasOwn(variants, name) && has(variants[name] ?? {})(value);
  };
}

/** Checks a run's record, since a store from elsewhere may hold anything; undefined if the value is none. */
const parseRunRecord = (value: unknown): RunRecord | undefined =>
  // Every field has just been checked.
  isRunRecord(value) ? (value as RunRecord) : undefined;

const oneDay = 24 * 60 * 60 * 1000;

/** Whether a run is under way. On another host it is as long as its record's modification time is recent. */
export function isOpenRun(
  { root }: Store,
  { run, now }: { readonly run: RunRecord; readonly now: Date },
): boolean {
  if (run.outcome !== 'running') return false;
  if (isOnThisHost(run.process)) return true;
  const seen = statSync(join(root, runPath(run.run)), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return now.getTime() - seen < oneDay;
}
