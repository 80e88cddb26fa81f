import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { parseDigest } from '../../src/runtime/key/digest.ts';
import { blobPath } from '../../src/runtime/store/store-layout.ts';
import { verifyStore } from '../../src/runtime/store/verify-store.ts';
import { decisions, openRig, outputsOf, type RunRig } from '../runtime/rig/run-rig.ts';
import type { TinyPipeline } from '../runtime/rig/tiny-dag.ts';
import { chosenFrom, countedIn, everyDeath, pairsFrom } from './rig/every-death.ts';
import type { Death } from './rig/law.ts';
import { canSeeProcesses, mortalRun, orphansIn } from './rig/mortal-run.ts';

/** The number of kills at the same time, each in its own project. */
const lanes = 3;

const stages: TinyPipeline['stages'] = {
  read: { uses: 'read', with: { path: 'letters.txt' } },
  cut: { uses: 'cut', with: { parts: ['a', 'b'] }, from: { text: 'read.text' } },
  append: { uses: 'append', with: { suffix: '!' }, from: { text: 'cut.text' } },
  copy: { uses: 'child-copy', from: { text: 'append.text.b' } },
  other: { uses: 'read', with: { path: 'other.txt' } },
  pack: { uses: 'pack', from: { text: 'other.text' } },
  unpack: { uses: 'unpack', from: { box: 'pack.box' } },
  join: { uses: 'join', from: { left: 'copy.text', right: 'unpack.text' } },
};

/** What a killed run starts from. */
const scenarios: Readonly<Record<string, (rig: RunRig) => Promise<void>>> = {
  'from nothing': async (rig) => {
    await rig.write('letters.txt', 'abc');
    await rig.write('other.txt', 'xyz');
  },
  'after an edit, and with a result lost': async (rig) => {
    await rig.write('letters.txt', 'before');
    await rig.write('other.txt', 'xyz');
    const { stages: earlier } = await rig.run(rig.dag(stages));
    const other = earlier.get('other');
    const digest = parseDigest(other !== undefined && 'outputs' in other ? other.outputs.text : undefined);
    if (digest !== undefined) await rm(join(rig.storeRoot, blobPath(digest)));
    await rig.write('letters.txt', 'abc');
  },
};

/** When a run is killed: at a disk operation of its process or of a stage's process, or after a time. */
type End = Death | { readonly milliseconds: number };

for (const [scenario, prepare] of Object.entries(scenarios)) {
  test.skipIf(!canSeeProcesses)(
    `killed at any operation on the disk, once and again, ${scenario}: nothing finished is lost, nothing is left behind, the next run succeeds`,
    async () => {
      const { deaths, outputs } = await livesOn(prepare);
      const once = [
        ...chosenFrom(deaths, 18),
        ...[90, 140, 190, 260].map((milliseconds) => ({ milliseconds })),
      ];
      const waiting: (readonly End[])[] = [...once.map((end) => [end]), ...pairsFrom(deaths, 3)];
      let kills = 0;
      const lane = async (): Promise<void> => {
        for (let ends = waiting.shift(); ends !== undefined; ends = waiting.shift()) {
          const { died, ...found } = await dieAndGoOn(prepare, ends);
          expect({ ends, ...found }).toEqual({ ends, ...whatIsRight, outputs });
          kills += died;
        }
      };
      await Promise.all(Array.from({ length: lanes }, lane));
      console.log(`${scenario}: ${deaths.length} points, ${kills} kills`);
    },
    3_600_000,
  );
}

/** The outputs of a run that is not killed, and all points at which it could be killed. */
async function livesOn(
  prepare: (rig: RunRig) => Promise<void>,
): Promise<{ readonly deaths: readonly Death[]; readonly outputs: unknown }> {
  await using rig = await openRig();
  await prepare(rig);
  const counts = join(rig.folder, 'counts.jsonl');
  await mortalRun(rig, stages, { counts });
  return { deaths: everyDeath(countedIn(counts)), outputs: outputsOf(await rig.run(rig.dag(stages))) };
}

const whatIsRight = {
  orphans: [],
  outcome: 'succeeded',
  ranAgain: [],
  problems: [],
  leftBehind: { tmp: [], state: [], leases: [] },
};

/** Kills a run and those that follow it, lets another finish, and reports everything that matters. */
async function dieAndGoOn(
  prepare: (rig: RunRig) => Promise<void>,
  ends: readonly End[],
): Promise<{ readonly died: number; readonly [what: string]: unknown }> {
  await using rig = await openRig();
  await prepare(rig);
  let died = 0;
  for (const end of ends)
    if (await mortalRun(rig, stages, 'milliseconds' in end ? end : { death: end })) died += 1;
  const orphans = await orphansIn(rig.folder);
  const standing = await standingRecords(rig);
  const next = await rig.run(rig.dag(stages));
  const said = decisions(next);
  const ranAgain = [...next.stages].flatMap(([id, outcome]) =>
    'key' in outcome && standing.has(outcome.key) && said[id] !== 'reused' ? [id] : [],
  );
  const { problems } = await verifyStore(rig.open());
  const leftBehind = Object.fromEntries(
    Object.keys(whatIsRight.leftBehind).map((name) => [name, namesIn(join(rig.storeRoot, name))]),
  );
  return { died, orphans, outcome: next.outcome, ranAgain, problems, leftBehind, outputs: outputsOf(next) };
}

/** The keys of the records whose outputs are whole. */
async function standingRecords(rig: RunRig): Promise<ReadonlySet<string>> {
  const { problems } = await verifyStore(rig.open());
  const lost = problems.filter(({ kind }) => kind === 'lost-output').map(({ path }) => path);
  expect(problems.filter(({ kind }) => kind !== 'lost-output')).toEqual([]);
  const actions = join(rig.storeRoot, 'actions');
  const records = namesIn(actions).flatMap((folder) => namesIn(join(actions, folder)));
  return new Set(
    records.filter((name) => !lost.some((path) => basename(path) === name)).map((name) => name.slice(0, 64)),
  );
}

const namesIn = (folder: string): readonly string[] => (existsSync(folder) ? readdirSync(folder) : []);
