import type { Failure } from '../stage/run-event.ts';

/** Whether an error of the operating system has one of these codes. */
export const hasErrorCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);

type StorageFailure = Extract<Failure, { kind: 'storage' }>;

/** Recognizes an error of the disk, which is full, read-only, forbidden or broken; undefined for any other error. */
export function storageFailureOf(error: unknown): StorageFailure | undefined {
  if (!(error instanceof Error) || !isRefusal(error)) return undefined;
  const { code = '', path = '', dest = path }: NodeJS.ErrnoException & { readonly dest?: string } = error;
  // `ENOSPC: no space left on device, copyfile 'a' -> 'b'`: the path is reported separately.
  const [reason = error.message] = error.message.split(', ');
  const message = code === 'ENOENT' ? 'this folder cannot be made; the disk may be read-only' : reason;
  return { kind: 'storage', code, path: dest, message };
}

/** Node's recursive mkdir fails with ENOENT on a read-only disk, and with EEXIST where a file has the folder's name. */
const isRefusal = (error: NodeJS.ErrnoException): boolean =>
  hasErrorCode(error, ...storageCodes) ||
  (error.syscall === 'mkdir' && hasErrorCode(error, 'ENOENT', 'EEXIST'));

/** A failure inside the store, or at an unknown path, is reported for the whole store, which the user knows. */
export const atStore = (failure: StorageFailure, root: string): StorageFailure =>
  failure.path === '' || failure.path.startsWith(root) ? { ...failure, path: root } : failure;

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
  'ELOOP',
  'ENAMETOOLONG',
];
