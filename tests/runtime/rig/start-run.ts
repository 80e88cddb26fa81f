import { join } from 'node:path';
import { execaNode } from 'execa';
import { bundle, type RunRig, stageProcess } from './run-rig.ts';
import type { TinyPipeline } from './tiny-dag.ts';

/** Starts a run in another process, which can be killed or run elsewhere; it prints the stages' outcomes as JSON. */
export async function startRun(
  rig: RunRig,
  stages: TinyPipeline['stages'],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
) {
  const pipeline: TinyPipeline = { file: join(rig.folder, 'tiny.yaml'), stages };
  const request = { pipeline, store: rig.storeRoot, stageProcess: await stageProcess() };
  const entry = await bundle('run-process.ts');
  // In an object, since execa's process is a promise of its end.
  return {
    process: execaNode(entry, [JSON.stringify(request)], { reject: false, nodeOptions: [], ...options }),
  };
}
