import { dirname, join } from 'node:path';
import { type Executor, type ExecutorSettings, parseDuration } from '../runtime/index.ts';
import { openSharedExecutor } from './slurm/shared-executor.ts';
import { type SlurmOptions, slurmLauncher } from './slurm/slurm-launcher.ts';

interface NamedExecutor {
  readonly name: string;
  readonly settings: ExecutorSettings;
}

/** Opens an executor of the settings; connects to nothing until it is given a job. */
export function openExecutor(
  { name, settings }: NamedExecutor,
  { stageProcess }: { readonly stageProcess: string },
): Executor {
  const slurm = slurmOptions(settings);
  return openSharedExecutor({
    name,
    launcher: slurmLauncher({ ...slurm, program: join(dirname(stageProcess), 'job.js') }),
    pollMs: slurm.pollMs,
    jobs: settings.jobs,
  });
}

const slurmOptions = ({ partition, account, qos, options, setup, poll }: ExecutorSettings): SlurmOptions => ({
  ...{ partition, account, qos, options, setup },
  pollMs: parseDuration(poll) ?? 10_000,
});
