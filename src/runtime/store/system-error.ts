import type { Failure } from '../stage/run-event.ts';

/** Whether the operating system refused something with one of these codes. */
export const hasErrorCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);

type StorageFailure = Extract<Failure, { kind: 'storage' }>;

/** A refusal that is about the disk and not about the program: full, read-only, forbidden, broken. */
export function storageFailureOf(error: unknown): StorageFailure | undefined {
  if (!(error instanceof Error) || !isRefusal(error)) return undefined;
  const { code = '', path = '', dest = path }: NodeJS.ErrnoException & { readonly dest?: string } = error;
  // `ENOSPC: no space left on device, copyfile 'a' -> 'b'`: the place is told apart.
  const [said = error.message] = error.message.split(', ');
  const message = code === 'ENOENT' ? 'this folder cannot be made; the disk may be read-only' : said;
  return { kind: 'storage', code, path: dest, message };
}

/** Where a disk is read-only, Node's recursive mkdir says that there is no such folder. */
const isRefusal = (error: NodeJS.ErrnoException): boolean =>
  hasErrorCode(error, ...storageCodes) || (error.code === 'ENOENT' && error.syscall === 'mkdir');

/** For a failure somewhere within the store, or at a place that is not known, the store is what a person can do something about. */
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
];
