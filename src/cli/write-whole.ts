import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UsageError } from './exit-code.ts';

/** Writes a file that a command line names. Whoever has it open sees the old one or the new one. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new UsageError({ message: `there is no folder \`${dirname(path)}\` for the file` });
    if (code === 'EISDIR') throw new UsageError({ message: `\`${path}\` is a folder` });
    throw error;
  }
}
