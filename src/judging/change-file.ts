import { randomUUID } from 'node:crypto';
import { lstat, mkdir, open, readFile, realpath, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TextDecoder } from 'node:util';
import { UserError } from '../core/index.ts';
import { withFileLock } from '../runtime/index.ts';

/**
 * Replaces a user's text file by what `change` makes of its present text, empty if there is no file. A reader finds the
 * old text or the new one, and changes by several processes follow one another. A link is followed, not replaced.
 */
export async function changeFile(path: string, change: (text: string) => string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const target = await realpath(path).catch(() => path);
  await withFileLock(target, async () => {
    const found = await lstat(target).catch(() => undefined);
    const text = change(found === undefined ? '' : decoded(await readFile(target), target));
    const temporary = `${target}.${randomUUID()}`;
    try {
      await using file = await open(temporary, 'wx', found?.mode ?? 0o666);
      await file.writeFile(text);
      await file.sync();
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await rename(temporary, target);
  });
}

/** Bytes that are no text would be lost when the text is written again. */
function decoded(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new UserError({
      code: 'not-utf-8',
      message: `${path} is not UTF-8 text`,
      help: 'save it as UTF-8; it is unchanged',
      cause,
    });
  }
}
