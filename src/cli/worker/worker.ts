import { dirname, join, resolve } from 'node:path';
import { serveWorker } from '../../executors/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { programVersion } from '../program-version.ts';

/** `tuneloom worker`: what an executor of another machine starts here over ssh. It speaks frames, not text. */
export async function workerCommand({
  options: { store },
  context: { workingDirectory, stageProcess },
}: CommandCall<{ readonly store?: string }>): Promise<ExitCode> {
  if (!store)
    throw new UsageError({
      message: 'a worker needs the folder of its store',
      help: 'tuneloom starts it by itself, over ssh, for the executors of the settings',
    });
  const besides = dirname(stageProcess);
  await serveWorker({
    input: process.stdin,
    output: process.stdout,
    root: resolve(workingDirectory, store),
    version: programVersion(),
    jobProgram: join(besides, 'job.js'),
    stageApi: join(besides, 'stage.js'),
  });
  return exitCode.success;
}
