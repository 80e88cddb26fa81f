import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execaNode } from 'execa';
import { expect, test } from 'vitest';
import { verifyStore } from '../../src/runtime/store/verify-store.ts';
import { bundle, decisions, openRig, outputsOf, type RunRig } from '../runtime/rig/run-rig.ts';
import type { TinyPipeline } from '../runtime/rig/tiny-dag.ts';
import { filesBelow } from './rig/stored.ts';

/** How many runs there are during gc. */
const runs = Number(process.env.TUNELOOM_LAW_RUNS ?? 30);
const suffixes = ['1', '2', '3', '4', '5', '6'];

const ending = (suffix: string): TinyPipeline['stages'] => ({
  read: { uses: 'read', with: { path: 'letters.txt' } },
  append: { uses: 'append', with: { suffix }, from: { text: 'read.text' } },
  pack: { uses: 'pack', from: { text: 'append.text' } },
  unpack: { uses: 'unpack', from: { box: 'pack.box' } },
  count: { uses: 'count', from: { text: 'unpack.text' } },
});

/** Makes every record three hours older, so that a run records its use again. */
function ageRecords({ storeRoot }: RunRig): void {
  const then = new Date(Date.now() - 3 * 60 * 60 * 1000);
  const actions = join(storeRoot, 'actions');
  for (const path of filesBelow(actions)) {
    try {
      utimesSync(join(actions, path), then, then);
    } catch {
      // gc was faster
    }
  }
}

/** Runs gc in a loop, killed midway and started again, until asked to stop. */
async function collectOn({ storeRoot }: RunRig, stop: AbortSignal) {
  const entry = await bundle('../../laws/rig/collect-process.ts');
  const count = { removed: 0, blobs: 0, spared: 0, kills: 0 };
  while (!stop.aborted) {
    const collecting = execaNode(entry, [storeRoot], { reject: false, nodeOptions: [] });
    await Promise.race([collecting, sleep(250 + 37 * (count.kills % 11))]);
    collecting.kill('SIGKILL');
    const { stdout, stderr, signal } = await collecting;
    expect([stderr, signal]).toEqual(['', 'SIGKILL']);
    for (const line of stdout.split('\n').filter((text) => text.endsWith('}'))) {
      const { removed, blobs, spared } = JSON.parse(line);
      count.removed += removed;
      count.blobs += blobs;
      count.spared += spared;
    }
    count.kills += 1;
  }
  return count;
}

test('gc in a loop during runs, killed midway, removes nothing that a run needs', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  const due = new Map<string, unknown>();
  for (const suffix of suffixes) due.set(suffix, outputsOf(await rig.run(rig.dag(ending(suffix)))));
  const stop = new AbortController();
  const collected = collectOn(rig, stop.signal);
  for (let run = 0; run < runs; run += 1) {
    const suffix = suffixes[(run * run + run) % suffixes.length] ?? '';
    ageRecords(rig);
    const result = await rig.run(rig.dag(ending(suffix)), { jobs: 2 });
    expect([suffix, result.outcome, outputsOf(result)]).toEqual([suffix, 'succeeded', due.get(suffix)]);
    // What the last runs used is there, whatever gc did in the meantime.
    ageRecords(rig);
    expect(new Set(Object.values(decisions(await rig.run(rig.dag(ending(suffix))))))).toEqual(
      new Set(['reused']),
    );
    await sleep((run % 4) * 15);
  }
  stop.abort();
  const count = await collected;
  expect((await verifyStore(rig.open())).problems).toEqual([]);
  expect([count.removed, count.blobs, count.kills].map((number) => number > 0)).toEqual([true, true, true]);
  console.log(`${2 * runs} runs beside gc: ${JSON.stringify(count)}`);
}, 600_000);
