import { sep } from 'node:path';
import type { FaultyRecord } from '../../core/index.ts';
import type { Failure, StageError } from '../../runtime/index.ts';
import { formatDuration } from '../terminal/format-number.ts';
import { safeText } from '../terminal/safe-text.ts';

/** What went wrong with a stage, and what its user can do. Paths are shown relative to the working directory. */
export function describeFailure(
  failure: Failure,
  workingDirectory: string = process.cwd(),
): { readonly message: string; readonly help?: string } {
  const { message, help } = wordingOf(failure);
  const shown = (text: string) => safeText(shortenPaths(text, workingDirectory));
  return { message: shown(message), ...(help === undefined ? {} : { help: shown(help) }) };
}

/** The verb for a stage that did not finish. */
export const endVerb = ({ kind }: Failure): 'failed' | 'stopped' =>
  kind === 'interrupted' ? 'stopped' : 'failed';

function wordingOf(failure: Failure): { message: string; help?: string | undefined } {
  switch (failure.kind) {
    case 'stage-error':
      return { message: stageErrorText(failure), help: failure.help };
    case 'bug':
      return {
        message: `this is an internal error in tuneloom: ${failure.stack || failure.message}`,
        help: 'please report it, with the lines above and your pipeline file',
      };
    case 'timeout':
      return {
        message: `it ran into its timeout of ${formatDuration(failure.milliseconds)}`,
        help: "raise the stage's `timeout:`, or give it less to do",
      };
    case 'killed':
      return {
        message: joinReason(`its process was killed by ${failure.signal}`, failure.message),
        help: memoryHelp(failure.signal),
      };
    case 'exited':
      return { message: joinReason(`its process ended with exit code ${failure.exitCode}`, failure.message) };
    case 'missing-output':
      return {
        message: `it ended without writing its output \`${failure.output}\``,
        help: `write a file or a folder at the path in $OUT_${failure.output}`,
      };
    case 'source-changed':
      return {
        message: `${failure.path} changed while it was being read`,
        help: 'run again; if the stage itself changes it, let it write elsewhere',
      };
    case 'input-changed':
      return describeChangedInput(failure);
    case 'storage':
      return { message: `${failure.path}: ${failure.message}`, help: storageHelp(failure.code) };
    case 'interrupted':
      return { message: 'it was interrupted' };
    default:
      return failure satisfies never;
  }
}

const describeChangedInput = ({ name, where }: Extract<Failure, { kind: 'input-changed' }>) =>
  where === 'given'
    ? { message: `it changed ${name}`, help: 'inputs are read-only: copy it and change the copy' }
    : {
        message: `${name} changed in the store while it was being read`,
        help: 'run again to restore it; if the stage itself changes it, let it change a copy',
      };

/** A process that printed nothing leaves no reason. */
const joinReason = (what: string, reason: string): string => (reason === '' ? what : `${what}: ${reason}`);

/** The error's sentence, and a line for each record that it names. */
function stageErrorText({ message, records = [], otherRecords = 0 }: StageError): string {
  const lines = records.map((record) => `  ${recordText(record)}`);
  const others = otherRecords === 0 ? [] : [`  and ${otherRecords} more`];
  return lines.length === 0 ? message : [`${message}:`, ...lines, ...others].join('\n');
}

/** For example "rows.json:3 (record a1): it has no field `output`". */
function recordText({ id, place, problem }: FaultyRecord): string {
  const name = id === undefined ? undefined : `record ${id}`;
  const where =
    place === undefined ? name : `${place.path}:${place.line}${name === undefined ? '' : ` (${name})`}`;
  return [where, problem].filter((text) => text !== undefined).join(': ');
}

/** Makes paths below the working directory relative; a path begins at the start of a word. */
function shortenPaths(text: string, workingDirectory: string): string {
  const prefix = workingDirectory.endsWith(sep) ? workingDirectory : `${workingDirectory}${sep}`;
  return text
    .split(prefix)
    .reduce((before, after) => `${before}${/[\s`"'(]$|^$/.test(before) ? '' : prefix}${after}`);
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
