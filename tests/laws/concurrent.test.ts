import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execaNode } from 'execa';
import { expect, test } from 'vitest';
import { parseCacheKey } from '../../src/runtime/key/key-material.ts';
import { takeLease } from '../../src/runtime/store/lease.ts';
import type { StageOutcome } from '../../src/runtime/store/run-records.ts';
import { verifyStore } from '../../src/runtime/store/verify-store.ts';
import { bundle, openRig, type RunRig } from '../runtime/rig/run-rig.ts';
import type { TinyPipeline } from '../runtime/rig/tiny-dag.ts';

const size = 14;
const words = Array.from({ length: size }, (_, index) => `w${index}`);

/** A tree of stages; each process leaves out other leaves of it and uses its own names. */
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

/** Starts all processes and lets them begin together. */
async function startAll(rig: RunRig, processes: number) {
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
  return runs;
}

type Said = readonly (readonly [string, StageOutcome])[];

/** What a process reported about its stages, by the number of the stage. */
const stagesIn = (stdout: string): Said =>
  Object.entries<StageOutcome>(JSON.parse(stdout.split('\n').at(-1) ?? '')).map(([id, outcome]) => [
    id.slice(3),
    outcome,
  ]);

async function allAtOnce(rig: RunRig, processes: number): Promise<readonly Said[]> {
  const ends = await Promise.all(await startAll(rig, processes));
  return ends.map(({ stdout }) => stagesIn(stdout));
}

const logIn = ({ folder }: RunRig): readonly string[] => {
  const path = join(folder, 'log.txt');
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
};

test('of 8 processes on one store 3 are killed: the others take over their leases, and all results are right', async () => {
  await using alone = await openRig();
  const [said] = await allAtOnce(alone, 1);
  const due = new Map(said?.map(([index, outcome]) => [index, outputsOf(outcome)]));
  for (const after of [1, 5, 9]) {
    await using rig = await openRig();
    const runs = await startAll(rig, 8);
    const ends = Promise.allSettled(runs);
    while (logIn(rig).length < after) await sleep(2);
    for (const run of runs.slice(0, 3)) run.kill('SIGKILL');
    await ends;
    for (const run of runs.slice(3)) {
      for (const [index, outcome] of stagesIn((await run).stdout))
        if (due.has(index)) expect([index, outputsOf(outcome)]).toEqual([index, due.get(index)]);
    }
    expect([...new Set(logIn(rig))].sort()).toEqual([...words].sort());
    // At most three stages in each killed process are started again.
    expect(logIn(rig).length).toBeLessThanOrEqual(size + 9);
    expect((await verifyStore(rig.open())).problems).toEqual([]);
    // One that was killed between its record and its lease's end left a lease that nobody needed: the next run removes it.
    await allAtOnce(rig, 1);
    expect(namesIn(join(rig.storeRoot, 'leases'))).toEqual([]);
  }
});

test('the lease of a suspended process is not taken: a waiting process keeps waiting, and takes its result', async () => {
  await using rig = await openRig();
  const [entry, go] = [await bundle('../../laws/rig/witness-process.ts'), await rig.write('go', '')];
  const stages = {
    one: { uses: 'witness', with: { word: 'w', pause: 700, log: join(rig.folder, 'log.txt') } },
  };
  const start = (name: string) => {
    const pipeline: TinyPipeline = { file: join(rig.folder, `${name}.yaml`), name, stages };
    return execaNode(entry, [JSON.stringify({ pipeline, store: rig.storeRoot, go })], { nodeOptions: [] });
  };
  const holder = start('holder');
  while (logIn(rig)[0] !== 'w') await sleep(2);
  holder.kill('SIGSTOP');
  const waiting = start('waiting');
  const first = await Promise.race([waiting.then(() => 'ended'), sleep(2_500, 'still waiting')]);
  expect([first, logIn(rig)]).toEqual(['still waiting', ['w']]);
  holder.kill('SIGCONT');
  const ends = await Promise.all([holder, waiting]);
  const decisions = ends.map(({ stdout }) => JSON.parse(stdout.split('\n').at(-1) ?? '').one.decision);
  expect([decisions, logIn(rig)]).toEqual([['ran', 'reused'], ['w']]);
});

for (const processes of [2, 4, 8]) {
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

test('however many processes want a key at the same time, one at a time holds it', async () => {
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
