import type { FaultyRecord, UserError } from '../../core/index.ts';
import type { Failure, StageError } from '../stage/run-event.ts';
import { storageFailureOf } from '../store/system-error.ts';

/** What something thrown by a stage means. A bug is what is left when nothing else explains it. */
export function failureOf(error: unknown, signal: AbortSignal): Failure {
  if (signal.aborted) return { kind: 'interrupted' };
  if (isUserError(error)) return stageError(error);
  const storage = storageFailureOf(error);
  if (storage !== undefined) return storage;
  if (error instanceof Error)
    return { kind: 'bug', message: error.message, stack: error.stack ?? error.message };
  return { kind: 'bug', message: String(error), stack: String(error) };
}

/** By its name: a stage's bundle may hold a UserError class of its own, with fewer fields. */
type UserErrorLike = Pick<UserError, 'code' | 'message'> &
  Partial<Pick<UserError, 'help' | 'records' | 'port'>>;

export const isUserError = (error: unknown): error is UserErrorLike =>
  error instanceof Error && error.name === 'UserError' && 'code' in error && typeof error.code === 'string';

/** A failure is kept and sent: of a million records it names so many. */
const mostRecords = 10;

function stageError({ code, message, help, records = [], port }: UserErrorLike): StageError {
  return {
    kind: 'stage-error',
    code,
    message,
    ...(help === undefined ? {} : { help }),
    ...namedRecords(records),
    ...(port === undefined ? {} : { port }),
  };
}

function namedRecords(records: readonly FaultyRecord[]): Pick<StageError, 'records' | 'otherRecords'> {
  const otherRecords = records.length - mostRecords;
  if (otherRecords > 0) return { records: records.slice(0, mostRecords), otherRecords };
  return records.length === 0 ? {} : { records };
}
