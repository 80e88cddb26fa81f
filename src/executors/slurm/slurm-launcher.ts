import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { UserError } from '../../core/index.ts';
import { childEnvironment, type Failure, type StageResources } from '../../runtime/index.ts';
import type { LaunchedJob, Launcher } from '../job/launcher.ts';
import { lostJob, timeLimit } from '../job/watch-job.ts';
import { SlurmQueue, tooMuchMemory } from './slurm-queue.ts';

export interface SlurmOptions {
  readonly partition?: string | undefined;
  readonly account?: string | undefined;
  readonly qos?: string | undefined;
  /** Further options of sbatch. */
  readonly options?: readonly string[] | undefined;
  /** Lines of shell before the stage, such as `module load nodejs`. */
  readonly setup?: string | undefined;
  /** How often Slurm is asked, in milliseconds. */
  readonly pollMs: number;
}

/** What sbatch and the job's process print. */
const outputFile = 'job.txt';
/** How long before its time limit a job is told to keep its state, in seconds. */
const warningSeconds = 60;

/** Starts each job as a job of Slurm. `program`: the script of a job's process, on a disk that its nodes see. */
export function slurmLauncher({
  program,
  ...options
}: SlurmOptions & { readonly program: string }): Launcher {
  const queue = new SlurmQueue(options);
  return {
    placeOf: (id) => (id === undefined || id === '' ? 'a Slurm job' : `Slurm job ${id}`),
    start: (job) => submit(job, { program, options }),
    find: ({ name }) => queue.find(name),
    state: (id) => queue.state(id),
    stop: async (id, { now }) => {
      // A job whose step was asked to stop gets SIGKILL from Slurm after its KillWait.
      await execa('scancel', [...(now ? ['--signal=KILL', '--full'] : []), id], quiet);
    },
    explain: ({ id, folder }, failure) => explain(failure, { id, folder, queue }),
  };
}

const quiet = { reject: false, stdin: 'ignore', timeout: 60_000 } as const;

async function submit(
  job: LaunchedJob,
  { program, options }: { readonly program: string; readonly options: SlurmOptions },
): Promise<string> {
  const { folder, resources, environment } = job;
  const { TMPDIR, TMP, TEMP, XDG_RUNTIME_DIR, CUDA_VISIBLE_DEVICES, ...base } = childEnvironment(process.env);
  const variables = { ...base, ...environment };
  const result = await execa(
    'sbatch',
    [
      '--parsable',
      `--job-name=${jobName(job)}`,
      `--chdir=${folder}`,
      `--output=${join(folder, outputFile)}`,
      '--open-mode=append',
      '--requeue',
      // Only these, by name: no value is on a command line, where everybody sees it.
      `--export=${Object.keys(variables).join(',') || 'NIL'}`,
      ...resourceFlags(resources),
      ...Object.entries({ partition: options.partition, account: options.account, qos: options.qos }).flatMap(
        ([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]),
      ),
      ...(options.options ?? []),
    ],
    {
      reject: false,
      timeout: 60_000,
      env: environment,
      input: `#!/bin/sh\n${options.setup ?? ''}\nexec ${[process.execPath, program, folder].map(quoted).join(' ')}\n`,
    },
  );
  const [, id] = /^(\d+)(?:;|$)/.exec((result.stdout ?? '').trim().split('\n').at(-1) ?? '') ?? [];
  if (!result.failed && id !== undefined) return id;
  const said = result.stderr || result.originalMessage || 'it printed no job number';
  throw new UserError({
    code: 'job-refused',
    message: `Slurm does not take the stage's job: ${said.trim().replaceAll('sbatch: error: ', '')}`,
    help:
      result.code === 'ENOENT'
        ? 'sbatch is not on this machine: set `over` to a host that has it'
        : "the job asks for the stage's `resources` and the executor's settings",
  });
}

/** Slurm's flags for what a stage may use. */
export function resourceFlags({ threads, memory, gpus, timeMs }: StageResources): readonly string[] {
  const seconds = timeMs === undefined ? undefined : Math.ceil(timeMs / 1000);
  const minutes = seconds === undefined ? undefined : Math.max(1, Math.ceil(seconds / 60));
  return [
    ...(threads === undefined ? [] : [`--cpus-per-task=${threads}`]),
    ...(memory === undefined ? [] : [`--mem=${Math.ceil(memory / 2 ** 20)}M`]),
    ...(gpus === undefined || gpus === 0 ? [] : [`--gres=gpu:${gpus}`]),
    ...(minutes === undefined ? [] : [`--time=${minutes}`]),
    ...(minutes === undefined || minutes * 60 < 2 * warningSeconds
      ? []
      : [`--signal=B:USR1@${warningSeconds}`]),
  ];
}

/** Shows the stage in the queue, and is unique, so that a job is found again by it. */
export const jobName = ({ stage, name }: Pick<LaunchedJob, 'stage' | 'name'>): string =>
  `${stage.replaceAll(/[^\w.=-]/g, '_').slice(0, 40)}-${name}`;

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** Says what to raise, as far as Slurm or what its programs printed tell. */
async function explain(
  failure: Failure,
  { id, folder, queue }: { readonly id: string; readonly folder: string; readonly queue: SlurmQueue },
): Promise<Failure> {
  const code = failure.kind === 'stage-error' ? failure.code : undefined;
  if (code === timeLimit.code) return { ...timeLimit, message: `Slurm job ${id} reached its time limit` };
  const isKill = failure.kind === 'killed' && failure.signal === 'SIGKILL';
  if (!isKill && code !== lostJob) return failure;
  // Slurm may know only a little later that it took too much memory.
  const state = isKill ? await queue.settled(id) : undefined;
  if (state?.kind === 'ended' && state.failure?.kind === 'stage-error') return state.failure;
  const printed = await readFile(join(folder, outputFile), 'utf8').catch(() => '');
  if (/memory limit|oom.?kill|out of memory/i.test(printed)) return tooMuchMemory(id);
  const tail = printed.trim().split('\n').slice(-10).join('\n');
  if (isKill)
    return {
      ...tooMuchMemory(id),
      message: `the stage was killed in Slurm job ${id}, most often because it took more memory than the job has`,
    };
  if (failure.kind !== 'stage-error' || tail === '') return failure;
  return { ...failure, message: `${failure.message}:\n${tail.slice(0, 5000)}` };
}
