import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { err, ok, type Result } from '../result.ts';
import { nearNames } from './near-names.ts';
import type { SourceFile } from './source-file.ts';

const largestFile = 8 * 1024 * 1024;

/** Reads a text file of bounded size; `path` is relative to the working directory. */
export async function readSourceFile({
  path,
  workingDirectory,
}: {
  readonly path: string;
  readonly workingDirectory: string;
}): Promise<Result<SourceFile, Diagnostic>> {
  const absolute = resolve(workingDirectory, path);
  const displayPath = displayPathOf(absolute, workingDirectory);
  try {
    const found = await stat(absolute);
    // A device or a pipe could be read without end; a folder is told apart below.
    if (!found.isFile() && !found.isDirectory())
      return err({ code: 'not-a-file', message: `\`${displayPath}\` is no regular file` });
    const { size } = found;
    if (size > largestFile)
      return err({
        code: 'file-too-large',
        message: `\`${displayPath}\` has ${size} bytes; a pipeline file can have ${largestFile}`,
      });
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(absolute));
    return ok({ path: absolute, displayPath, text });
  } catch (cause) {
    return err(await explain({ cause, absolute, displayPath }));
  }
}

/** As a person would type it: relative where that is shorter. */
export function displayPathOf(absolute: string, workingDirectory: string): string {
  const short = relative(workingDirectory, absolute);
  return short.length > 0 && short.length < absolute.length && !isAbsolute(short)
    ? short.replaceAll('\\', '/')
    : absolute;
}

async function explain({
  cause,
  absolute,
  displayPath,
}: {
  cause: unknown;
  absolute: string;
  displayPath: string;
}): Promise<Diagnostic> {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
    return {
      code: 'not-utf8',
      message: `\`${displayPath}\` is not UTF-8 text`,
      help: 'save the file as UTF-8',
    };
  if (code === 'EISDIR')
    return { code: 'not-a-file', message: `\`${displayPath}\` is a folder, not a pipeline file` };
  if (code !== 'ENOENT' && code !== 'ENOTDIR')
    return { code: 'unreadable-file', message: `\`${displayPath}\` cannot be read: ${String(cause)}` };
  const help = await nearNames(absolute, displayPath);
  return { code: 'missing-file', message: `there is no file \`${displayPath}\``, ...(help && { help }) };
}
