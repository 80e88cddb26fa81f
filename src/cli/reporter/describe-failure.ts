import type { Failure } from '../../runtime/event/failure.ts';
import { formatDuration } from '../terminal/format-duration.ts';
import { safeText } from '../terminal/safe-text.ts';

export interface FailureText {
  /** What happened, in one sentence where the failure allows it. */
  readonly message: string;
  readonly help?: string;
}

/** Says what went wrong with a stage and what its user can do. */
export function describeFailure(failure: Failure): FailureText {
  const { message, help } = words(failure);
  return { message: safeText(message), ...(help === undefined ? {} : { help: safeText(help) }) };
}

/** How the end of a stage that did not finish is called. */
export const endVerb = ({ kind }: Failure): 'failed' | 'stopped' =>
  kind === 'interrupted' ? 'stopped' : 'failed';

function words(failure: Failure): { message: string; help?: string | undefined } {
  switch (failure.kind) {
    case 'stage-error':
      return { message: failure.message, help: failure.help };
    case 'bug':
      return {
        message: `this is a mistake in retune: ${failure.stack || failure.message}`,
        help: 'please report it with the lines above and your pipeline file',
      };
    case 'timeout':
      return {
        message: `it was stopped after its timeout of ${formatDuration(failure.milliseconds)}`,
        help: "raise the stage's `timeout:`, or give it less to do",
      };
    case 'killed':
      return {
        message: `its process was ended by ${failure.signal}: ${failure.message}`,
        help: memoryHelp(failure.signal),
      };
    case 'exited':
      return { message: `its process ended with exit code ${failure.exitCode}: ${failure.message}` };
    case 'missing-output':
      return {
        message: `it ended without writing its output \`${failure.output}\``,
        help: `write a file or a folder at the path in $OUT_${failure.output}`,
      };
    case 'source-changed':
      return { message: `${failure.path} changed while it was being read`, help: 'run again' };
    case 'storage':
      return { message: `${failure.path}: ${failure.message}`, help: storageHelp(failure.code) };
    case 'interrupted':
      return { message: 'it was interrupted' };
    default:
      return failure satisfies never;
  }
}

function memoryHelp(signal: string): string | undefined {
  return signal === 'SIGKILL'
    ? 'the system may have run out of memory: a smaller `batch_size`, a shorter `max_length` or a smaller model needs less'
    : undefined;
}

function storageHelp(code: string): string | undefined {
  if (code === 'ENOSPC') return 'free some disk space, or put the store elsewhere with --store';
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM')
    return 'make the store writable, or name another with --store';
  return undefined;
}
