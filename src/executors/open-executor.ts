import { dirname, join } from 'node:path';
import { type Executor, type ExecutorSettings, parseDuration } from '../runtime/index.ts';
import { openSharedExecutor } from './slurm/shared-executor.ts';
import { type SlurmOptions, slurmLauncher } from './slurm/slurm-launcher.ts';
import { openRemoteExecutor } from './ssh/remote-executor.ts';

/** Opens an executor of the settings, whose fields fit its kind; connects to nothing until it is given a job. */
export function openExecutor(
  { name, settings }: { readonly name: string; readonly settings: ExecutorSettings },
  { stageProcess, version }: { readonly stageProcess: string; readonly version: string },
): Executor {
  const { kind, host, over, store, program, jobs, ssh_options = [], patience } = settings;
  const slurm = kind === 'slurm' ? slurmOptions(settings) : undefined;
  const address = host ?? over;
  const besides = dirname(stageProcess);
  if (slurm !== undefined && address === undefined)
    return openSharedExecutor({
      ...{ name, jobs, pollMs: slurm.pollMs },
      launcher: slurmLauncher({ ...slurm, program: join(besides, 'job.js') }),
    });
  if (address === undefined || store === undefined)
    throw new Error(`executor ${name} has no host or no store`);
  return openRemoteExecutor({
    ...{ name, slurm, jobs, host: address, store, program, version, sshOptions: ssh_options },
    stageApi: join(besides, 'stage.js'),
    patienceMs: parseDuration(patience) ?? 600_000,
  });
}

const slurmOptions = ({ partition, account, qos, options, setup, poll }: ExecutorSettings): SlurmOptions => ({
  ...{ partition, account, qos, options, setup },
  pollMs: parseDuration(poll) ?? 10_000,
});
