import type { Failure } from '../event/failure.ts';

/** Whether the operating system refused something with one of these codes. */
export const hasErrorCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);

/** A refusal that is about the disk and not about the program: full, read-only, forbidden, broken. */
export function storageFailureOf(error: unknown): Extract<Failure, { kind: 'storage' }> | undefined {
  if (!(error instanceof Error) || !hasErrorCode(error, ...storageCodes)) return undefined;
  return {
    kind: 'storage',
    code: 'code' in error ? String(error.code) : 'unknown',
    path: 'path' in error && typeof error.path === 'string' ? error.path : '',
    message: error.message,
  };
}

const storageCodes = [
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'EACCES',
  'EPERM',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOTDIR',
  'EFBIG',
];
