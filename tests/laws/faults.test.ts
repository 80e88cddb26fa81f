import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runPipeline } from '../../src/runtime/execute/run-pipeline.ts';
import { planPipeline } from '../../src/runtime/plan/plan-pipeline.ts';
import { verifyStore } from '../../src/runtime/store/verify-store.ts';
import { openRig, outputsOf, type RunRig, stageProcess, untilSettled } from '../runtime/rig/run-rig.ts';
import type { TinyPipeline } from '../runtime/rig/tiny-dag.ts';

/** How many bits are flipped in each file, at places that the seed chooses. */
const bitsEach = Number(process.env.TUNELOOM_LAW_BITS ?? 3);
const seed = Number(process.env.TUNELOOM_LAW_SEED ?? 20_260_101);

const stages: TinyPipeline['stages'] = {
  read: { uses: 'read', with: { path: 'letters.txt' } },
  cut: { uses: 'cut', with: { parts: ['a', 'b'] }, from: { text: 'read.text' } },
  append: { uses: 'append', with: { suffix: '!' }, from: { text: 'cut.text' } },
  pack: { uses: 'pack', from: { text: 'append.text.b' } },
  unpack: { uses: 'unpack', from: { box: 'pack.box' } },
};

type Damage = (bytes: Buffer) => Buffer;

/** What can happen to the bytes of a file. */
const damages: Readonly<Record<string, Damage>> = {
  'cut in half': (bytes) => bytes.subarray(0, bytes.length >> 1),
  emptied: () => Buffer.alloc(0),
  'made of zeros': (bytes) => Buffer.alloc(bytes.length),
  'made another JSON': () => Buffer.from('{"format":1,"files":[],"stages":{},"sources":{}}'),
  'made no text': () => Buffer.from([0xff, 0xfe, 0x80]),
};

/** A project with a finished run and everything that it left on the disk; the source is in the stat cache. */
async function filled(): Promise<{ readonly rig: RunRig; readonly outputs: unknown }> {
  const rig = await openRig();
  await rig.write('letters.txt', 'abcdefgh');
  for (let runs = 0; runs < 2; runs += 1) {
    await rig.run(rig.dag(stages));
    await untilSettled(join(rig.folder, 'letters.txt'));
  }
  return { rig, outputs: outputsOf(await rig.run(rig.dag(stages))) };
}

/** Every file that a run reads except its sources, from the project's folder. */
const filesOf = ({ folder }: RunRig): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /^store\/(blobs|actions|runs|[^/]*\.json$)|\.lock\.yaml$/.test(path))
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort();

function change(path: string, damage: Damage): Buffer {
  const before = readFileSync(path);
  chmodSync(path, 0o644);
  writeFileSync(path, damage(before));
  return before;
}

/** What a damaged file leads to: in a plan, in a run, and in a run by another process. */
async function served(rig: RunRig, path: string, damage: Damage): Promise<unknown> {
  const absolute = join(rig.folder, path);
  const before = change(absolute, damage);
  const dag = rig.dag(stages);
  const plan = await planPipeline({ dag, store: rig.open() });
  const result = await runPipeline({ dag, store: rig.open(), stageProcess: await stageProcess() });
  if (path.endsWith('.lock.yaml') && !result.ok) {
    expect(result.error.map(({ code }) => code)).toEqual(['damaged-lock']);
    writeFileSync(absolute, before);
    return served(rig, path, (bytes) => bytes);
  }
  expect(plan.ok).toBe(true);
  // The journal of a finished run cannot be computed again: verify names it until it is deleted.
  if (path.startsWith('store/runs/')) writeFileSync(absolute, before);
  expect((await verifyStore(rig.open())).problems).toEqual([]);
  return result.ok ? outputsOf(result.value) : result.error.map(({ message }) => message);
}

test('whatever happens to any file that tuneloom keeps, no wrong result is used and the store repairs itself', async () => {
  const { rig, outputs } = await filled();
  await using _ = rig;
  const tried: string[] = [];
  for (const path of filesOf(rig)) {
    for (const [what, damage] of Object.entries({ ...damages, ...turnedBits(path) })) {
      tried.push(what);
      expect({ path, what, served: await served(rig, path, damage) }).toEqual({
        path,
        what,
        served: outputs,
      });
    }
  }
  console.log(`${tried.length} damages to ${filesOf(rig).length} files`);
}, 600_000);

/** Bits at places that depend only on the seed and the path. */
function turnedBits(path: string): Readonly<Record<string, Damage>> {
  const places = Array.from({ length: bitsEach }, (_, index) => mix(`${seed} ${path} ${index}`));
  return Object.fromEntries(
    places.map((place) => [
      `with bit ${place} turned`,
      (bytes) => {
        const turned = Buffer.from(bytes);
        const bit = place % (bytes.length * 8);
        turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        return turned;
      },
    ]),
  );
}

/** FNV-1a, 32 bits. */
const mix = (text: string): number =>
  [...Buffer.from(text)].reduce((hash, byte) => Math.imul(hash ^ byte, 16_777_619) >>> 0, 2_166_136_261);
