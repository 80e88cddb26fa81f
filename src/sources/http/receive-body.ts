import type { Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { UserError } from '../../user-error.ts';
import { ConnectionFailure } from './http-failure.ts';

const idleMilliseconds = 60_000;

export interface Reception {
  readonly file: FileHandle;
  readonly hash: Hash;
  /** What the file holds already, in bytes. */
  readonly offset: number;
  /** More than this is refused. */
  readonly mostBytes: number;
  readonly signal: AbortSignal;
  readonly report: (done: number) => void;
}

/** Appends an answer's body to a file; returns how long the file is then. Throws ConnectionFailure where it stalls or breaks off. */
export async function receiveBody(response: Response, reception: Reception): Promise<number> {
  const { file, hash, offset, mostBytes, signal, report } = reception;
  let done = offset;
  const reader = response.body?.getReader();
  if (reader === undefined) return done;
  try {
    for (;;) {
      const { value } = await soon(reader.read());
      if (value === undefined) return done;
      done += value.byteLength;
      if (done > mostBytes) throw tooLarge(mostBytes);
      hash.update(value);
      await file.writeFile(value);
      report(done);
    }
  } catch (error) {
    await reader.cancel().catch(() => {});
    const isOurs = signal.aborted || error instanceof UserError || isFromDisk(error);
    throw isOurs ? error : new ConnectionFailure(error);
  }
}

async function soon<Value>(reading: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('nothing came for a minute')), idleMilliseconds);
  });
  try {
    return await Promise.race([reading, late]);
  } finally {
    clearTimeout(timer);
  }
}

const isFromDisk = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && (error.syscall === 'write' || error.syscall === 'open');

const tooLarge = (mostBytes: number): UserError =>
  new UserError({
    code: 'source-too-large',
    message: `more comes than the ${mostBytes} bytes that the file may have`,
    help: 'download it yourself and give its path',
  });
