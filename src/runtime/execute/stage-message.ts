import { isObject, type Json } from '../../core/index.ts';
import type { Failure } from '../stage/run-event.ts';
import type { StageReport } from '../stage/stage-definition.ts';
import { isFailure, isFaultyRecords } from '../store/run-records.ts';

/** What a stage measured about its own run. */
export type Measurements = Readonly<Record<string, Json>>;

/** What a stage process sends its parent: that it has begun an action, reports, and how the action ended. */
export type StageMessage =
  | { readonly type: 'begun' }
  | { readonly type: 'report'; readonly report: StageReport }
  | FinalMessage;

/** How an action ended. */
export type FinalMessage =
  | { readonly type: 'finished'; readonly measurements: Measurements }
  | { readonly type: 'failed'; readonly failure: Failure };

/** What a parent sends its stage process: an action to run, or the request to stop the one that runs. */
export type ParentMessage = { readonly type: 'act'; readonly actionFile: string } | { readonly type: 'stop' };

// The channel is private to a parent and the process that it started, so the type alone identifies a message.
export const isParentMessage = (message: unknown): message is ParentMessage =>
  isObject(message) && (message.type === 'act' || message.type === 'stop');

/** Checks a message, since a user's stage can send anything; undefined if it is none. */
export function parseStageMessage(message: unknown): StageMessage | undefined {
  if (!isObject(message)) return undefined;
  const { type, report, measurements, failure } = message;
  if (type === 'begun') return { type };
  if (type === 'report') {
    const parsed = parseReport(report);
    return parsed && { type, report: parsed };
  }
  // It came as JSON, so its values are JSON. A final message must never be dropped: the parent waits for it.
  if (type === 'finished')
    return { type, measurements: isObject(measurements) ? (measurements as Measurements) : {} };
  if (type !== 'failed') return undefined;
  return { type, failure: isFailure(failure) ? shortened(failure) : unreadableFailure };
}

/** The most characters of each text of a failure, which is stored and shown: an error may quote all of its data. */
const mostCharacters = 20_000;

const shortened = (failure: Failure): Failure =>
  JSON.parse(JSON.stringify(failure), (_, value: unknown) =>
    typeof value === 'string' && value.length > mostCharacters ? `${value.slice(0, mostCharacters)}…` : value,
  );

const unreadableFailure: Failure = {
  kind: 'stage-error',
  code: 'stage-threw',
  message: 'it failed without a readable reason',
};

/** A failure or a note is stored and sent between processes, so it names only the first records. */
export const mostRecords = 10;

/** Undefined if a reporter could not show it. */
export function parseReport(report: unknown): StageReport | undefined {
  if (!isObject(report)) return undefined;
  const { type, level, message, records, done, total, unit, figures, phase } = report;
  if (type === 'note' && (level === 'info' || level === 'warning') && typeof message === 'string')
    return {
      type,
      level,
      message,
      ...(isFaultyRecords(records) && { records: records.slice(0, mostRecords) }),
    };
  if (type !== 'progress' || typeof done !== 'number' || typeof unit !== 'string') return undefined;
  return {
    type,
    done,
    unit,
    ...(typeof total === 'number' && { total }),
    ...(isObject(figures) && { figures: numbersIn(figures) }),
    ...phaseIn(phase),
  };
}

function phaseIn(phase: unknown): Pick<Extract<StageReport, { type: 'progress' }>, 'phase'> {
  const { name, done, total } = isObject(phase) ? phase : {};
  return typeof name === 'string' && typeof done === 'number' && typeof total === 'number'
    ? { phase: { name, done, total } }
    : {};
}

const numbersIn = (figures: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(figures).filter((figure): figure is [string, number] => typeof figure[1] === 'number'),
  );
