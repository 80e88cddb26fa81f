import { readdirSync, utimesSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CliRig, dataProject, openCliRig } from '../cli/rig.ts';
import { chosenFrom, countedIn, everyDeath, pairsFrom } from './rig/every-death.ts';
import type { Death, Law } from './rig/law.ts';
import { mortalCommand } from './rig/mortal-command.ts';
import { canSeeProcesses, orphansIn } from './rig/mortal-run.ts';
import { filesBelow, lastRunIn } from './rig/stored.ts';

const lanes = 3;
/** So late that gc keeps nothing because of its age. */
const days = 40;

/** A project with six runs, whose lock and last three runs leave half of its results to gc. */
async function openOld(): Promise<CliRig> {
  const rig = await openCliRig(dataProject);
  for (const length of ['32', '33', '40', '41', '42']) await rig.tuneloom('run', '-p', `length=${length}`);
  await rig.tuneloom('run');
  const actions = join(rig.folder, 'artifacts', 'actions');
  const longAgo = new Date(Date.now() - 30 * 24 * 60 * 60 * 1000);
  for (const path of filesBelow(actions)) utimesSync(join(actions, path), longAgo, longAgo);
  return rig;
}

async function copyOf({ folder }: CliRig): Promise<CliRig> {
  const rig = await openCliRig();
  await cp(folder, rig.folder, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  return rig;
}

const commands: Readonly<Record<string, readonly string[]>> = {
  gc: ['gc', '--yes'],
  verify: ['verify'],
};

/** Kills a command and the ones after it; then reports what the next run and the next gc found and left. */
async function dieAndGoOn(
  old: CliRig,
  { words, laws }: { readonly words: readonly string[]; readonly laws: readonly Law[] },
) {
  await using rig = await copyOf(old);
  for (const law of laws) await mortalCommand(rig, words, { days, ...law });
  const orphans = await orphansIn(rig.folder);
  const verified = (await rig.tuneloom('verify')).exitCode;
  const { exitCode } = await rig.tuneloom('run');
  const store = join(rig.folder, 'artifacts');
  const decisions = Object.values(lastRunIn(store).stages).map(({ decision }) => decision);
  await mortalCommand(rig, ['gc', '--yes'], { days });
  const stays = ['blobs', 'actions'].flatMap((name) => filesBelow(join(store, name)));
  const leftBehind = ['tmp', 'leases', 'state'].flatMap((name) => filesBelow(join(store, name)));
  const verifiedAfter = (await rig.tuneloom('verify')).exitCode;
  const runs = readdirSync(join(store, 'runs')).length;
  return { orphans, verified, exitCode, decisions, stays, leftBehind, verifiedAfter, runs };
}

for (const [name, words] of Object.entries(commands)) {
  test.skipIf(!canSeeProcesses)(
    `${name} killed at any operation leaves a sound store: all that stays is reused, and the next gc takes the rest`,
    async () => {
      await using old = await openOld();
      const counts = join(old.folder, 'counts.jsonl');
      const due = await dieAndGoOn(old, { words, laws: [{ counts }] });
      expect(due).toMatchObject({ orphans: [], verified: 0, exitCode: 0, leftBehind: [], verifiedAfter: 0 });
      expect(new Set(due.decisions)).toEqual(new Set(['reused']));
      const deaths = everyDeath(countedIn(counts));
      const few = name === 'gc' ? [3, 1] : [1, 0];
      const single = chosenFrom(deaths, few[0] ?? 0).map((death): readonly Death[] => [death]);
      const waiting = [...single, ...pairsFrom(deaths, few[1] ?? 0)];
      const kills = waiting.flat().length;
      const lane = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const laws = next.map((death) => ({ death }));
          expect({ next, ...(await dieAndGoOn(old, { words, laws })) }).toEqual({ next, ...due });
        }
      };
      await Promise.all(Array.from({ length: lanes }, lane));
      console.log(`${name}: ${deaths.length} points, ${kills} kills`);
    },
    3_600_000,
  );
}
