import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { fileNamePattern, hasFilePattern } from '../../core/index.ts';

/** Whether a local source is neither a file nor a folder but a pattern for files of a folder: `data/part-*.jsonl`. */
export const isSourcePattern = (path: string): boolean => hasFilePattern(path) && !existsSync(path);

/** The names of the files in its folder that a pattern matches, sorted by code unit; without hidden files. */
export function matchingNames(pattern: string): readonly string[] {
  const folder = dirname(pattern);
  if (!existsSync(folder)) return [];
  const fits = fileNamePattern(basename(pattern));
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.') && !entry.isDirectory() && fits(entry.name))
    .map(({ name }) => name)
    .sort();
}

/** Whether a local source is a file, a folder, or a pattern that some file matches. */
export const sourceExists = (path: string): boolean =>
  existsSync(path) || (hasFilePattern(path) && matchingNames(path).length > 0);
