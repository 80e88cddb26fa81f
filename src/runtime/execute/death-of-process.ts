import { readFile } from 'node:fs/promises';
import type { Failure } from '../event/failure.ts';

/** How a process ended, as execa tells it. */
export interface ProcessEnd {
  readonly signal?: string | undefined;
  readonly exitCode?: number | undefined;
  readonly shortMessage?: string | undefined;
}

/** What became of a stage process that ended without a last word. */
export async function deathOfProcess(end: ProcessEnd, logPath: string): Promise<Failure> {
  const tail = await lastLines(logPath);
  if (tail.includes('JavaScript heap out of memory')) {
    return {
      kind: 'killed',
      signal: end.signal ?? 'SIGABRT',
      message: 'the JavaScript heap ran out of memory',
    };
  }
  if (end.signal === 'SIGKILL') {
    const message = 'the system ended the process, most often because memory ran out';
    return { kind: 'killed', signal: end.signal, message };
  }
  if (end.signal !== undefined) return { kind: 'killed', signal: end.signal, message: tail };
  return { kind: 'exited', exitCode: end.exitCode ?? -1, message: tail || (end.shortMessage ?? '') };
}

const lastLines = async (path: string): Promise<string> =>
  (await readFile(path, 'utf8')).trimEnd().split('\n').slice(-20).join('\n');
