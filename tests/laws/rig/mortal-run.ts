import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execaNode } from 'execa';
import { bundle, type RunRig, stageProcess } from '../../runtime/rig/run-rig.ts';
import type { TinyPipeline } from '../../runtime/rig/tiny-dag.ts';
import type { Law } from './law.ts';

/** The environment that puts a process, and those that it starts, under a law. */
export const underLaw = async (law: Law): Promise<Readonly<Record<string, string>>> => ({
  NODE_OPTIONS: `--import=${await bundle('../../laws/rig/kill-at.ts')}`,
  NODE_LAW: JSON.stringify(law),
});

/** Runs a tiny pipeline in a process under a law, or kills it after a time; returns whether it was killed. */
export async function mortalRun(
  rig: RunRig,
  stages: TinyPipeline['stages'],
  end: Law | { readonly milliseconds: number },
): Promise<boolean> {
  const pipeline: TinyPipeline = { file: join(rig.folder, 'tiny.yaml'), stages };
  const request = { pipeline, store: rig.storeRoot, stageProcess: await stageProcess() };
  const law = 'milliseconds' in end ? {} : end;
  const run = execaNode(await bundle('run-process.ts'), [JSON.stringify(request)], {
    reject: false,
    nodeOptions: [],
    env: await underLaw(law),
  });
  const timer = 'milliseconds' in end ? setTimeout(() => run.kill('SIGKILL'), end.milliseconds) : undefined;
  const { signal } = await run;
  clearTimeout(timer);
  return signal === 'SIGKILL';
}

/** The other processes whose command lines contain a path. */
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

/** Waits until no process works in a folder; returns the processes that are still there after ten seconds. */
export async function orphansIn(folder: string): Promise<readonly string[]> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (processesNaming(folder).length === 0) return [];
    await sleep(20);
  }
  return processesNaming(folder);
}
