import { open } from 'node:fs/promises';
import type { Failure } from '../stage/run-event.ts';

/** How a process ended; an error where it could not be started. */
export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error?: Error;
}

/** Why a process ended without a final message. */
export async function failureOfDeath(end: ProcessEnd, logPath: string): Promise<Failure> {
  const tail = await lastLines(logPath).catch(() => '');
  const { signal, exitCode, error } = end;
  if (tail.includes('JavaScript heap out of memory'))
    return {
      kind: 'killed',
      signal: signal ?? 'SIGABRT',
      message: 'the JavaScript heap ran out of memory',
    };
  if (signal === 'SIGKILL') {
    const message = 'the system ended the process, most often because memory ran out';
    return { kind: 'killed', signal, message };
  }
  if (signal !== null) return { kind: 'killed', signal, message: tail };
  return { kind: 'exited', exitCode: exitCode ?? -1, message: tail || (error?.message ?? '') };
}

/** Reads no more than the end: a log can be longer than a string. */
async function lastLines(path: string): Promise<string> {
  await using file = await open(path);
  const { size } = await file.stat();
  const end = Buffer.alloc(Math.min(size, 2 ** 16));
  await file.read(end, 0, end.length, size - end.length);
  const lines = end.toString().trimEnd().split('\n').slice(-20);
  return lines.map((line) => line.slice(0, 2000)).join('\n');
}
