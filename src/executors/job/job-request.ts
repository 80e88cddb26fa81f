import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attemptFiles, type Job, type StageAction, type StageDefinition } from '../../runtime/index.ts';

/** What the process of a job reads from its folder: an action and how to run it. Holds no secret. */
export interface JobRequest {
  readonly action: StageAction;
  readonly process: StageDefinition['process'];
  readonly timeoutMs?: number;
  readonly graceMilliseconds: number;
  /** The names of the variables that its stage reads. */
  readonly environment: readonly string[];
}

/** The request for a job. */
export function requestOf({ definition, action, timeoutMs, graceMilliseconds }: Job): JobRequest {
  const own = definition.graceMilliseconds ?? Number.POSITIVE_INFINITY;
  return {
    action,
    process: definition.process,
    ...(timeoutMs !== undefined && { timeoutMs }),
    graceMilliseconds: Math.min(graceMilliseconds, own),
    environment: definition.environment?.(action.config) ?? [],
  };
}

export const readRequest = async (folder: string): Promise<JobRequest> =>
  // Written by tuneloom, in a store of its own.
  JSON.parse(await readFile(join(folder, attemptFiles.request), 'utf8')) as JobRequest;

/** The values of the variables that a job's stage asks for, as far as they are set here. */
export const valuesOf = (
  { environment }: Pick<JobRequest, 'environment'>,
  outside: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    environment.flatMap((name) => {
      const value = outside[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
