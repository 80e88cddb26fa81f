import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject } from '../../../core/index.ts';
import { parseSealed, sealJson } from '../../store/sealed-json.ts';
import { writeAtomically } from '../../store/store-file.ts';
import { attemptFiles } from '../../store/store-layout.ts';
import { hasErrorCode } from '../../store/system-error.ts';

/** What an executor keeps in an attempt's folder from before it submits the job: it finds the job again after a crash. */
export interface JobFile {
  /** The executor's name in the settings. */
  readonly executor: string;
  /** Where the job is, for people: `slurm job 17`. */
  readonly place: string;
  /** Such as the scheduler's number; absent until it is known. */
  readonly id?: string;
}

/** `root`: the store of the attempt. */
export const writeJobFile = (
  { folder, root }: { readonly folder: string; readonly root: string },
  job: JobFile,
): Promise<void> =>
  writeAtomically({
    root,
    path: join(folder, attemptFiles.job),
    content: sealJson(JSON.stringify(job)),
    durable: true,
  });

/** Undefined if the attempt has none. A file that cannot be read stands for a job that nobody finds again. */
export function readJobFile(folder: string): JobFile | undefined {
  try {
    const value = parseSealed(readFileSync(join(folder, attemptFiles.job), 'utf8'));
    const { executor, place, id } = isObject(value) ? value : {};
    if (typeof executor !== 'string' || typeof place !== 'string') return undefined;
    return { executor, place, ...(typeof id === 'string' && { id }) };
  } catch (error) {
    if (error instanceof SyntaxError || hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
