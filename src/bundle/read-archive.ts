import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open as openFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { type Entry, fromFd, type ZipFile } from 'yauzl';
import { UserError } from '../core/index.ts';
import { findClash, nameProblem } from './member-names.ts';

/** A file that was unpacked. */
export interface UnpackedMember {
  readonly path: string;
  readonly size: number;
  /** 64 hexadecimal digits, of the bytes that were written. */
  readonly sha256: string;
}

/** An archive of tuneloom is not compressed; one that someone packed again is, but not to less than this share. */
const mostExpansion = 20;
const freeBytes = 64 * 2 ** 20;
const mostMembers = 200_000;
/** The kind of file in the upper half of a member's attributes, where the archive was made on Unix. */
const [kindMask, plainFile, folderKind] = [0o170000, 0o100000, 0o040000];

const openZip = promisify<number, { lazyEntries: true; autoClose: false; strictFileNames: true }, ZipFile>(
  fromFd,
);

/**
 * Unpacks an archive into an existing empty folder. Every name, size and kind is checked before the first file is
 * written; throws a UserError for an archive that could write outside of the folder, overwrite its own files or fill the
 * disk, and for one that is damaged.
 */
export async function unpackArchive(
  archive: string,
  { folder, signal }: { readonly folder: string; readonly signal: AbortSignal },
): Promise<readonly UnpackedMember[]> {
  await using file = await openFile(archive, 'r');
  const { size } = await stat(archive);
  try {
    const zip = await openZip(file.fd, { lazyEntries: true, autoClose: false, strictFileNames: true });
    const entries = await listEntries(zip);
    checkEntries(entries, size);
    const unpacked: UnpackedMember[] = [];
    for (const entry of entries.filter(isFile)) {
      signal.throwIfAborted();
      unpacked.push(await unpackEntry(entry, { zip, folder, signal }));
    }
    return unpacked;
  } catch (error) {
    throw error instanceof UserError || signal.aborted || isStorage(error) ? error : damaged(error);
  }
}

const isStorage = (error: unknown): boolean => error instanceof Error && 'syscall' in error;

const damaged = (cause: unknown): UserError =>
  new UserError({
    code: 'damaged-archive',
    message: `the archive cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
    help: 'is it complete, and a zip archive? fetch it again',
    cause,
  });

const refused = (message: string): UserError =>
  new UserError({
    code: 'unsafe-archive',
    message: `${message}; nothing was unpacked`,
    help: 'ask whoever made the archive for one that `tuneloom bundle` wrote',
  });

async function listEntries(zip: ZipFile): Promise<readonly Entry[]> {
  if (zip.entryCount > mostMembers)
    throw refused(`the archive has ${zip.entryCount} files, more than ${mostMembers}`);
  const entries: Entry[] = [];
  await new Promise<void>((resolve, reject) => {
    zip.on('entry', (entry: Entry) => {
      entries.push(entry);
      zip.readEntry();
    });
    zip.on('end', resolve);
    zip.on('error', reject);
    zip.readEntry();
  });
  return entries;
}

const isFile = ({ fileName }: Entry): boolean => !fileName.endsWith('/');

function checkEntries(entries: readonly Entry[], archiveBytes: number): void {
  for (const entry of entries) {
    const path = entry.fileName.replace(/\/$/, '');
    const problem = nameProblem(path);
    if (problem !== undefined) throw refused(`\`${entry.fileName}\` ${problem}`);
    const kind = (entry.externalFileAttributes >>> 16) & kindMask;
    if (kind !== 0 && kind !== (isFile(entry) ? plainFile : folderKind))
      throw refused(`\`${entry.fileName}\` is a link or a device`);
    if (entry.isEncrypted()) throw refused(`\`${entry.fileName}\` is encrypted`);
  }
  const clash = findClash(entries.filter(isFile).map(({ fileName }) => fileName));
  if (clash !== undefined)
    throw refused(
      clash[0] === clash[1]
        ? `\`${clash[0]}\` is in the archive twice`
        : `\`${clash[0]}\` and \`${clash[1]}\` could be one file or folder`,
    );
  const total = entries.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0);
  if (total > freeBytes + mostExpansion * archiveBytes)
    throw refused(`the archive has ${archiveBytes} bytes and would expand to ${total}`);
}

async function unpackEntry(
  entry: Entry,
  { zip, folder, signal }: { readonly zip: ZipFile; readonly folder: string; readonly signal: AbortSignal },
): Promise<UnpackedMember> {
  const path = join(folder, ...entry.fileName.split('/'));
  await mkdir(dirname(path), { recursive: true });
  const hash = createHash('sha256');
  let size = 0;
  const measured = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  const executable = ((entry.externalFileAttributes >>> 16) & 0o100) !== 0;
  const target = createWriteStream(path, { flags: 'wx', mode: executable ? 0o755 : 0o644 });
  // The reader fails if there are more or fewer bytes than the archive announced.
  await pipeline(await contentOf(zip, entry), measured, target, { signal });
  return { path: entry.fileName, size, sha256: hash.digest('hex') };
}

const contentOf = (zip: ZipFile, entry: Entry): Promise<NodeJS.ReadableStream> =>
  new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
