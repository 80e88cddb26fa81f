import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { constants, createReadStream } from 'node:fs';
import { copyFile, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import {
  hasErrorCode,
  RemoteFailure,
  type RemoteObject,
  type RemoteStore,
  remoteName,
  type SentContent,
  storageFailureOf,
} from '../../runtime/index.ts';
import { type OpenRemote, received } from './remote-host.ts';

/** A folder that is used as a remote: a network drive, a stick, or what a web server serves. */
export function fileStore(folder: string, { name, idleMilliseconds }: OpenRemote): RemoteStore {
  const pathOf = (object: RemoteObject): string => join(folder, ...remoteName(object).split('/'));
  let isSwept = false;
  return {
    name,
    url: folder,
    has: (objects, { signal }) =>
      explained(folder, async () => {
        await requireFolder(folder);
        if (objects.length < worthListing) return heldAmong(objects, { pathOf, signal });
        const held = new Set<string>();
        for (const inside of ['cas', 'ac'])
          for (const found of await namesIn(join(folder, inside))) held.add(`${inside}/${found}`);
        return new Set(objects.map(remoteName).filter((one) => held.has(one)));
      }),
    get: (object, { offset = 0, signal }) =>
      explained(folder, async () => {
        await requireFolder(folder);
        const path = pathOf(object);
        const size = await sizeOf(path);
        if (size === undefined) return undefined;
        const start = Math.min(offset, size);
        // Many files are read under the signal of one command, which is no leak.
        setMaxListeners(0, signal);
        const stream = createReadStream(path, { start, highWaterMark: chunkBytes, signal });
        return { offset: start, size, bytes: received(stream, { host: folder, idleMilliseconds, signal }) };
      }),
    put: (object, content, { signal, onProgress }) =>
      explained(folder, async () => {
        await requireFolder(folder);
        const temporaryFolder = join(folder, 'tmp');
        await mkdir(temporaryFolder, { recursive: true });
        if (!isSwept) await sweep(temporaryFolder);
        isSwept = true;
        const path = pathOf(object);
        await mkdir(join(path, '..'), { recursive: true });
        const temporary = join(temporaryFolder, `${randomBytes(12).toString('hex')}.part`);
        try {
          await writeSynced(temporary, content);
          signal.throwIfAborted();
          await rename(temporary, path);
        } catch (error) {
          await rm(temporary, { force: true });
          throw error;
        }
        onProgress?.('bytes' in content ? content.bytes.byteLength : content.size);
      }),
    async *list(kind) {
      const names = await explained(folder, async () => {
        await requireFolder(folder);
        return namesIn(join(folder, kind === 'blob' ? 'cas' : 'ac'));
      });
      yield* names.filter((found) => /^[0-9a-f]{64}$/.test(found));
    },
  };
}

const chunkBytes = 2 ** 20;
/** From this number on, reading the folder is faster than asking for each name. */
const worthListing = 64;

async function heldAmong(
  objects: readonly RemoteObject[],
  { pathOf, signal }: { readonly pathOf: (object: RemoteObject) => string; readonly signal: AbortSignal },
): Promise<ReadonlySet<string>> {
  const held = await pMap(
    objects,
    async (object) => ((await sizeOf(pathOf(object))) === undefined ? [] : remoteName(object)),
    { concurrency: 16, signal },
  );
  return new Set(held.flat());
}

/** A network drive that is not mounted has no folder: making it would write to this machine's own disk. */
async function requireFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: unknown) => {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  });
  if (found?.isDirectory() !== true)
    throw new RemoteFailure({
      kind: 'unreachable',
      message: `there is no folder ${folder}`,
      help: 'is its drive mounted? A new remote begins with an empty folder',
    });
}

const sizeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    (found) => (found.isFile() ? found.size : undefined),
    (error: unknown) => {
      if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    },
  );

const namesIn = (folder: string): Promise<readonly string[]> =>
  readdir(folder).catch((error: unknown) => {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  });

/** Readable by everyone whom the umask lets read: a remote is for others. */
async function writeSynced(path: string, content: SentContent): Promise<void> {
  if ('bytes' in content) await writeFile(path, content.bytes, { flag: 'wx' });
  else await copyFile(content.path, path, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  await using file = await open(path, 'r');
  await file.sync();
}

const oneDay = 24 * 60 * 60 * 1000;

/** Removes what a killed push has left. */
async function sweep(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (name.endsWith('.part') && found !== undefined && Date.now() - found.mtimeMs > oneDay)
      await rm(path, { force: true });
  }
}

/** What the disk refuses, as a failure of the remote. */
async function explained<Value>(folder: string, act: () => Promise<Value>): Promise<Value> {
  try {
    return await act();
  } catch (error) {
    const storage = storageFailureOf(error);
    if (storage === undefined) throw error;
    const { code, message } = storage;
    const isFull = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
    const isForbidden = ['EACCES', 'EPERM', 'EROFS'].includes(code);
    throw new RemoteFailure({
      kind: isFull ? 'full' : isForbidden ? 'forbidden' : 'unreachable',
      message: `${folder} cannot be used: ${message}`,
      cause: error,
    });
  }
}
