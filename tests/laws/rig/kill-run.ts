import { fileURLToPath } from 'node:url';
import { execaNode } from 'execa';
import type { RunEvent } from '../../../src/runtime/stage/run-event.ts';
import { bundleProgram } from '../../bundle-program.ts';
import { stageProcess } from '../../runtime/rig/run-rig.ts';

/** When a process is killed: before its n-th operation on the disk, in the middle of it, or after a time. */
export type Death =
  | { readonly kind: 'before' | 'within'; readonly operation: number }
  | { readonly kind: 'after'; readonly milliseconds: number };

export interface RunToKill {
  readonly folder: string;
  readonly params: readonly string[];
  readonly sets: readonly string[];
  readonly jobs: number;
  readonly stageProcess: string;
  readonly killAt: number;
  readonly torn: boolean;
}

const spawn = (entry: string) => execaNode(entry, { ipc: true, reject: false, nodeOptions: [] });
type Waiting = ReturnType<typeof spawn>;

/** Processes that run a written project and are killed. The next one is always started in advance, since starting takes long. */
export class KilledRuns implements AsyncDisposable {
  #waiting: Promise<{ readonly process: Waiting }> | undefined;

  /** Runs the project until it is killed or ends, and returns its events. */
  async run(
    asked: Pick<RunToKill, 'folder' | 'params' | 'sets' | 'jobs'>,
    death: Death,
  ): Promise<{ readonly killed: boolean; readonly events: readonly RunEvent[] }> {
    const { process } = await (this.#waiting ?? start());
    this.#waiting = start();
    const request: RunToKill = {
      ...asked,
      stageProcess: await stageProcess(),
      killAt: 'operation' in death ? death.operation : 0,
      torn: death.kind === 'within',
    };
    await process.sendMessage({ ...request });
    const timer =
      death.kind === 'after' ? setTimeout(() => process.kill('SIGKILL'), death.milliseconds) : undefined;
    const { signal, exitCode, stdout, stderr } = await process;
    clearTimeout(timer);
    if (signal !== 'SIGKILL' && exitCode !== 0)
      throw new Error(`the run that was to be killed failed: ${stderr}`);
    const lines = stdout.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
    // Written by the process of kill-run-process.ts.
    return { killed: signal === 'SIGKILL', events: lines.map((line) => JSON.parse(line) as RunEvent) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const waiting = await this.#waiting;
    waiting?.process.kill('SIGKILL');
    await waiting?.process;
  }
}

/** In an object, since execa's process is a promise of its end. */
async function start(): Promise<{ readonly process: Waiting }> {
  const entry = await bundled();
  return { process: spawn(entry) };
}

let program: Promise<string> | undefined;

function bundled(): Promise<string> {
  program ??= bundleProgram(fileURLToPath(new URL('kill-run-process.ts', import.meta.url)));
  return program;
}
