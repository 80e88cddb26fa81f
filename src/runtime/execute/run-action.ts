import { err, type FaultyRecord, ok, type Result, type UserError } from '../../core/index.ts';
import type { Failure, StageError } from '../stage/run-event.ts';
import type { StageAction } from '../stage/stage-action.ts';
import type { StageDefinition, StageHost } from '../stage/stage-definition.ts';
import { storageFailureOf } from '../store/system-error.ts';
import { limitReports } from './limit-reports.ts';
import type { Measurements } from './stage-message.ts';

/** Loads a stage's code and runs one action in this process. Never throws. */
export async function runAction(
  {
    definition,
    action,
  }: { readonly definition: Pick<StageDefinition, 'load'>; readonly action: StageAction },
  { signal, report, log }: StageHost & { readonly log?: (text: string) => unknown },
): Promise<Result<Measurements, Failure>> {
  const limited = limitReports({ report, log });
  try {
    const { run } = await definition.load();
    return ok(await run(action, { signal, report: limited.report }));
  } catch (error) {
    return err(failureOf(error, signal));
  } finally {
    limited.flush();
  }
}

/** Classifies what a stage threw: anything that nothing else explains is a bug. */
export function failureOf(error: unknown, signal: AbortSignal): Failure {
  if (signal.aborted) return { kind: 'interrupted' };
  if (isUserError(error)) return stageError(error);
  const storage = storageFailureOf(error);
  if (storage !== undefined) return storage;
  if (error instanceof Error)
    return { kind: 'bug', message: error.message, stack: error.stack ?? error.message };
  return { kind: 'bug', message: String(error), stack: String(error) };
}

/** A stage's bundle may hold its own copy of UserError, so it is recognized by name. */
type UserErrorLike = Pick<UserError, 'code' | 'message'> &
  Partial<Pick<UserError, 'help' | 'records' | 'port'>>;

export const isUserError = (error: unknown): error is UserErrorLike =>
  error instanceof Error && error.name === 'UserError' && 'code' in error && typeof error.code === 'string';

/** A failure is stored and sent between processes, so it names only the first records. */
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
