import type { Failure } from '../event/failure.ts';
import { parsePortContent } from './digest.ts';
import { isProcessIdentity } from './process-identity.ts';
import type { RunRecord, StageOutcome } from './run-record.ts';

type Fields = Readonly<Record<string, Check>>;
type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number';
const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
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
    isMap(value) && Object.values(value).every(check);
const has =
  (fields: Fields): Check =>
  (value) =>
    isMap(value) && Object.entries(fields).every(([name, check]) => check(ownField(value, name)));

const ownField = (value: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(value, name) ? value[name] : undefined;

const place = has({ path: isText, line: isNumber });
const faultyRecord = has({ id: orAbsent(isText), problem: orAbsent(isText), place: orAbsent(place) });

/** Kind -> what those who show a failure rely on. */
const failures: Readonly<Record<Failure['kind'], Fields>> = {
  'stage-error': {
    message: isText,
    help: orAbsent(isText),
    records: orAbsent(isListOf(faultyRecord)),
    otherRecords: orAbsent(isNumber),
  },
  bug: { message: isText, stack: isText },
  timeout: { milliseconds: isNumber },
  killed: { signal: isText, message: isText },
  exited: { exitCode: isNumber, message: isText },
  'missing-output': { output: isText },
  'source-changed': { path: isText },
  storage: { code: isText, path: isText, message: isText },
  interrupted: {},
};

const isFailure = isTagged('kind', failures);
const isOutputs = isMapOf((value) => parsePortContent(value) !== undefined);
const work = { uses: isText, key: isText, reason: isText, milliseconds: isNumber, attempts: isNumber };

/** Decision -> what stands beside it. */
const outcomes: Readonly<Record<StageOutcome['decision'], Fields>> = {
  reused: { uses: isText, key: isText, outputs: isOutputs },
  ran: { ...work, outputs: isOutputs, measurements: isMap },
  failed: { ...work, failure: isFailure, logPath: orAbsent(isText) },
  skipped: { uses: isText, because: isText },
};

const isRunRecord = has({
  format: isOneOf(1),
  run: isText,
  pipeline: isText,
  file: isText,
  params: isMap,
  overridden: isOneOf(true, false),
  targets: isListOf(isText),
  startedAt: isText,
  milliseconds: isNumber,
  outcome: isOneOf('succeeded', 'failed', 'interrupted', 'running', 'killed'),
  process: isProcessIdentity,
  stages: isMapOf(isTagged('decision', outcomes)),
});

function isTagged(tag: string, variants: Readonly<Record<string, Fields>>): Check {
  return (value) => {
    const name = isMap(value) ? ownField(value, tag) : undefined;
    return typeof name === 'string' && Object.hasOwn(variants, name) && has(variants[name] ?? {})(value);
  };
}

/** The record of a run, or undefined where the value is none: a store that came from elsewhere may hold anything. */
export const parseRunRecord = (value: unknown): RunRecord | undefined =>
  // Every field has just been checked.
  isRunRecord(value) ? (value as RunRecord) : undefined;
