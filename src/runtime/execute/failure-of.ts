import type { Failure } from '../event/failure.ts';
import { storageFailureOf } from '../store/system-error.ts';

/** What something thrown by a stage means. A bug is what is left when nothing else explains it. */
export function failureOf(error: unknown, signal: AbortSignal): Failure {
  if (signal.aborted) return { kind: 'interrupted' };
  if (isStageError(error)) {
    const { code, message, help } = error;
    return { kind: 'stage-error', code, message, ...(help === undefined ? {} : { help }) };
  }
  const storage = storageFailureOf(error);
  if (storage !== undefined) return storage;
  if (error instanceof Error)
    return { kind: 'bug', message: error.message, stack: error.stack ?? error.message };
  return { kind: 'bug', message: String(error), stack: String(error) };
}

/** By its name: a stage's bundle may hold a UserError class of its own. */
const isStageError = (error: unknown): error is Error & { readonly code: string; readonly help?: string } =>
  error instanceof Error && error.name === 'UserError' && 'code' in error && typeof error.code === 'string';
