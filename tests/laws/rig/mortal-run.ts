import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execaNode } from 'execa';
import { bundle, type RunRig, stageProcess } from '../../runtime/rig/run-rig.ts';
import type { TinyPipeline } from '../../runtime/rig/tiny-dag.ts';

/** When a process dies: before its n-th operation on the disk, in the middle of it, or after a time. */
export type Death =
  | { readonly kind: 'before' | 'within'; readonly operation: number }
  | { readonly kind: 'after'; readonly milliseconds: number }
  | { readonly kind: 'never' };

/** Runs a tiny pipeline in a process that dies; returns what it died of, and its last line if it lived. */
export async function mortalRun(
  rig: RunRig,
  stages: TinyPipeline['stages'],
  death: Death,
): Promise<{ readonly signal: string | undefined; readonly lastLine: string }> {
  const pipeline: TinyPipeline = { file: join(rig.folder, 'tiny.yaml'), stages };
  const request = { pipeline, store: rig.storeRoot, stageProcess: await stageProcess() };
  const run = execaNode(await bundle('run-process.ts'), [JSON.stringify(request)], {
    reject: false,
    nodeOptions: ['--import', await bundle('../../laws/rig/kill-at.ts')],
    env: {
      LAW_KILL_AT: 'operation' in death ? `${death.operation}` : '0',
      LAW_TORN: death.kind === 'within' ? 'yes' : 'no',
    },
  });
  const timer =
    death.kind === 'after' ? setTimeout(() => run.kill('SIGKILL'), death.milliseconds) : undefined;
  const { signal, stdout } = await run;
  clearTimeout(timer);
  return { signal, lastLine: String(stdout).trimEnd().split('\n').at(-1) ?? '' };
}

/** The processes, this one left out, whose command lines name a path. */
const processesNaming = (path: string): readonly string[] =>
  readdirSync('/proc').filter(
    (pid) => /^\d+$/.test(pid) && pid !== `${process.pid}` && commandOf(pid).includes(path),
  );

function commandOf(pid: string): string {
  try {
    return readFileSync(join('/proc', pid, 'cmdline'), 'utf8');
  } catch {
    return '';
  }
}

export const canSeeProcesses = existsSync('/proc/self/cmdline');

/** Waits until no process works in a folder; the processes that are still there after a long while. */
export async function orphansIn(folder: string): Promise<readonly string[]> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (processesNaming(folder).length === 0) return [];
    await sleep(20);
  }
  return processesNaming(folder);
}
