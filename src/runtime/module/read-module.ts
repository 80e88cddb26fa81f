import { readFile } from 'node:fs/promises';
import type { Span } from '../diagnostic/diagnostic.ts';
import { displayPathOf } from '../source/read-source-file.ts';
import type { SourceFile } from '../source/source-file.ts';

/** A module of a user's stage as it stands; empty where it cannot be read. `usedAt` is where the pipeline names the stage. */
export async function readModule(path: string, { file }: Span): Promise<SourceFile> {
  const text = await readFile(path, 'utf8').catch(() => '');
  // As long as the pipeline's own path is shown short, so is this one.
  const shownFrom = file.path.endsWith(file.displayPath)
    ? file.path.slice(0, file.path.length - file.displayPath.length)
    : process.cwd();
  return { path, displayPath: displayPathOf(path, shownFrom), text };
}
