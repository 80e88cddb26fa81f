import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execaNode } from 'execa';
import { expect, test } from 'vitest';
import { parseCacheKey } from '../../src/runtime/key/cache-key.ts';
import { takeLease } from '../../src/runtime/store/lease.ts';
import type { StageOutcome } from '../../src/runtime/store/run-record.ts';
import { verifyStore } from '../../src/runtime/store/verify-store.ts';
import { bundle, openRig, type RunRig } from '../runtime/rig/run-rig.ts';
import type { TinyPipeline } from '../runtime/rig/tiny-dag.ts';

const size = 14;
const words = Array.from({ length: size }, (_, index) => `w${index}`);

/** A tree of stages; each process leaves out other leaves of it and has names of its own. */
function treeOf(process: number, log: string): TinyPipeline['stages'] {
  const isKept = (index: number): boolean => index * 2 + 1 < size || index % 4 !== process;
  const id = (index: number): string => `p${process}_${index}`;
  const stages = words.map((word, index): [string, TinyPipeline['stages'][string]] => [
    id(index),
    {
      uses: 'witness',
      with: { word, pause: (index * 7) % 5, log },
      ...(index === 0 ? {} : { from: { text: `${id((index - 1) >> 1)}.text` } }),
    },
  ]);
  return Object.fromEntries(stages.filter((_, index) => isKept(index)));
}

/** Runs all at once; what each said of its stages, by the number of the stage. */
async function allAtOnce(
  rig: RunRig,
  processes: number,
): Promise<readonly (readonly [string, StageOutcome])[][]> {
  const [entry, go] = [await bundle('../../laws/rig/witness-process.ts'), join(rig.folder, 'go')];
  const runs = Array.from({ length: processes }, (_, process) => {
    const stages = treeOf(process, join(rig.folder, 'log.txt'));
    const pipeline: TinyPipeline = {
      file: join(rig.folder, `p${process}.yaml`),
      name: `p${process}`,
      stages,
    };
    return execaNode(entry, [JSON.stringify({ pipeline, store: rig.storeRoot, go })], { nodeOptions: [] });
  });
  await Promise.all(runs.map((run) => new Promise((ready) => run.stdout.once('data', ready))));
  await rig.write('go', '');
  const ends = await Promise.all(runs);
  return ends.map(({ stdout }) =>
    Object.entries<StageOutcome>(JSON.parse(stdout.split('\n').at(-1) ?? '')).map(
      ([id, outcome]) => [id.slice(3), outcome] as const,
    ),
  );
}

for (const processes of [2, 3, 4]) {
  test(`${processes} processes with overlapping pipelines on one store: the same results for all, each key computed once`, async () => {
    for (let round = 0; round < 2; round += 1) {
      await using rig = await openRig();
      const said = await allAtOnce(rig, processes);
      const outputs = new Map(said.flat().map(([index, outcome]) => [index, outputsOf(outcome)]));
      for (const stages of said) {
        expect(stages.map(([index, outcome]) => [index, outputsOf(outcome)])).toEqual(
          stages.map(([index]) => [index, outputs.get(index)]),
        );
      }
      const log = readFileSync(join(rig.folder, 'log.txt'), 'utf8').trimEnd().split('\n');
      expect(log.sort()).toEqual([...words].sort());
      expect(said.flat().filter(([, { decision }]) => decision === 'ran')).toHaveLength(size);
      expect((await verifyStore(rig.open())).problems).toEqual([]);
      expect(['tmp', 'state', 'leases'].flatMap((name) => namesIn(join(rig.storeRoot, name)))).toEqual([]);
    }
  });
}

test('however many want a key at once, one at a time holds it', async () => {
  await using rig = await openRig();
  const key = parseCacheKey('a'.repeat(64));
  if (key === undefined) throw new Error('no key');
  const signal = new AbortController().signal;
  const together: number[] = [];
  let holding = 0;
  const want = async (): Promise<void> => {
    for (let times = 0; times < 10; times += 1) {
      await using _ = await takeLease(rig.open(), { key, signal, onWait: () => {} });
      holding += 1;
      together.push(holding);
      await sleep(1);
      holding -= 1;
    }
  };
  await Promise.all(Array.from({ length: 40 }, want));
  expect(together).toEqual(together.map(() => 1));
});

const outputsOf = (outcome: StageOutcome): unknown => ('outputs' in outcome ? outcome.outputs : outcome);

const namesIn = (folder: string): readonly string[] => (existsSync(folder) ? readdirSync(folder) : []);
