import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { Failure, StageError } from '../../runtime/index.ts';
import type { JobState } from '../job/launcher.ts';

/** A job as Slurm's programs show it. */
interface ShownJob {
  /** `RUNNING`, `OUT_OF_MEMORY`. */
  readonly state: string;
  readonly reason: string;
  readonly node: string;
}

/** The states of this process's jobs. One call of squeue asks about all that are asked about at the same time. */
export class SlurmQueue {
  readonly #pollMs: number;
  #asked = new Set<string>();
  #next: Promise<ReadonlyMap<string, ShownJob> | string> | undefined;

  constructor({ pollMs }: { readonly pollMs: number }) {
    this.#pollMs = pollMs;
  }

  async state(id: string): Promise<JobState> {
    this.#asked.add(id);
    this.#next ??= this.#ask();
    const shown = await this.#next;
    if (typeof shown === 'string') return { kind: 'unknown', because: shown };
    const found = shown.get(id) ?? (await accountedJob(id));
    return found === undefined ? gone(id) : stateOf(id, found);
  }

  /** The state of a job that is ending, once it has ended. */
  async settled(id: string): Promise<JobState> {
    for (const until = performance.now() + Math.max(5000, this.#pollMs); ; await sleep(200)) {
      const state = await this.state(id);
      if (state.kind === 'ended' || performance.now() > until) return state;
    }
  }

  /** The number of the job with this name; undefined if Slurm knows none. Throws if it does not answer. */
  async find(name: string): Promise<string | undefined> {
    for (let wait = 500; ; wait = Math.min(2 * wait, 10_000)) {
      const result = await run('squeue', ['--noheader', '--states=all', '--format=%i|%j']);
      if (typeof result !== 'string') {
        const ids = result.lines
          .filter((line) => line.endsWith(`-${name}`))
          .map((line) => line.split('|')[0]);
        return ids.at(-1);
      }
      // Without an answer a second job could be submitted.
      await sleep(wait);
    }
  }

  async #ask(): Promise<ReadonlyMap<string, ShownJob> | string> {
    await sleep(20);
    const ids = [...this.#asked];
    this.#asked = new Set();
    this.#next = undefined;
    const listed = await run('squeue', [
      ...['--noheader', '--states=all', `--jobs=${ids.join(',')}`, '--format=%i|%T|%r|%N'],
    ]);
    // Slurm forgets a job some minutes after its end.
    if (typeof listed === 'string') return listed.includes('Invalid job id') ? new Map() : listed;
    return new Map(
      listed.lines.map((line) => {
        const [id = '', state = '', reason = '', node = ''] = line.split('|');
        return [id, { state, reason, node }];
      }),
    );
  }
}

/** From Slurm's accounts, where they are kept. */
async function accountedJob(id: string): Promise<ShownJob | undefined> {
  const listed = await run('sacct', ['-n', '-X', '-P', '-j', id, '-o', 'State,NodeList']);
  const [state = '', node = ''] = typeof listed === 'string' ? [] : (listed.lines.at(-1)?.split('|') ?? []);
  // `CANCELLED by 1000`
  return state === '' ? undefined : { state: state.split(' ')[0] ?? '', reason: '', node };
}

/** The lines that a program prints, or why it fails. */
async function run(
  program: string,
  args: readonly string[],
): Promise<{ readonly lines: readonly string[] } | string> {
  const result = await execa(program, args, { reject: false, stdin: 'ignore', timeout: 60_000 });
  if (result.failed)
    return (result.stderr || result.originalMessage || `${program} failed`).trim().slice(0, 500);
  return { lines: result.stdout.split('\n').filter((line) => line !== '') };
}

const gone = (id: string): JobState => ({
  kind: 'ended',
  failure: {
    kind: 'stage-error',
    code: 'job-lost',
    message: `Slurm does not know job ${id} any more, and it left no result`,
    help: 'run again; if that repeats, ask whether the node can write to the store',
  },
});

function stateOf(id: string, { state, reason, node }: ShownJob): JobState {
  switch (state) {
    case 'PENDING':
    case 'REQUEUED':
    case 'REQUEUE_HOLD':
    case 'REQUEUE_FED':
    case 'SPECIAL_EXIT':
    case 'RESV_DEL_HOLD':
      return { kind: 'waiting', ...(reason !== 'None' && { because: reason }) };
    case 'PREEMPTED':
      return { kind: 'preempted' };
    case 'TIMEOUT':
    case 'DEADLINE':
      return ended(id, 'reached its time limit', {
        code: 'job-time-limit',
        help: 'raise `resources: { time }` of the stage; it goes on from its state with the next run',
      });
    case 'OUT_OF_MEMORY':
      return { kind: 'ended', failure: tooMuchMemory(id) };
    case 'NODE_FAIL':
    case 'BOOT_FAIL':
      return ended(id, `lost its node${node === '' ? '' : ` ${node}`}`, {
        code: 'job-node',
        help: 'run again: it goes on from its state; `retries: 2` of the stage does that by itself',
      });
    case 'CANCELLED':
    case 'REVOKED':
      return ended(id, 'was canceled outside tuneloom', {
        code: 'job-canceled',
        help: 'run again to go on from its state',
      });
    case 'COMPLETED':
    case 'FAILED':
      return { kind: 'ended' };
    default:
      // Running, suspended, completing, and what newer releases add.
      return { kind: 'running' };
  }
}

const ended = (
  id: string,
  what: string,
  more: { readonly code: string; readonly help: string },
): JobState => {
  const failure: Failure = { kind: 'stage-error', message: `Slurm job ${id} ${what}`, ...more };
  return { kind: 'ended', failure };
};

export const tooMuchMemory = (id: string): StageError => ({
  kind: 'stage-error',
  code: 'job-memory',
  message: `Slurm job ${id} took more memory than it has`,
  help: 'raise `resources: { memory }` of the stage',
});
