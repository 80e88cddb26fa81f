import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Json } from '../../src/core/json.ts';
import type { Scores } from '../../src/metrics/scores.ts';
import { type CliRig, openCliRig } from '../cli/rig.ts';

const shipped = fileURLToPath(new URL('../../pipelines', import.meta.url));

/** Runs copies of the shipped pipelines with the built command, so that no lock or artifact is left in the project. */
export interface ShippedRig extends AsyncDisposable {
  readonly folder: string;
  readonly write: CliRig['write'];
  readonly plan: (pipeline: string, ...words: string[]) => ReturnType<CliRig['tuneloom']>;
  readonly run: (pipeline: string, ...words: string[]) => ReturnType<CliRig['tuneloom']>;
  readonly scores: (pipeline: string, stage: string) => Promise<Scores>;
  readonly rows: (pipeline: string, path: string) => Promise<readonly Json[]>;
}

export async function openShippedRig(): Promise<ShippedRig> {
  const rig = await openCliRig({ 'package.json': '{}' });
  await cp(shipped, join(rig.folder, 'pipelines'), { recursive: true });
  const output = (pipeline: string, path: string) =>
    readFile(join(rig.folder, 'artifacts', 'outputs', pipeline, path), 'utf8');
  return {
    folder: rig.folder,
    write: rig.write,
    plan: (pipeline, ...words) => rig.tuneloom('plan', `pipelines/${pipeline}.yaml`, ...words),
    run: (pipeline, ...words) => rig.tuneloom('run', `pipelines/${pipeline}.yaml`, ...words),
    scores: async (pipeline, stage) => JSON.parse(await output(pipeline, `${stage}/scores`)),
    rows: async (pipeline, path) => {
      const lines = (await output(pipeline, path)).split('\n');
      return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
    },
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  };
}
