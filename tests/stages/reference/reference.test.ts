import { cp } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readBatches, writeBatches } from '../../../src/stages/ports/batches-file.ts';
import { run } from '../../../src/stages/reference/run-reference.ts';
import type { Batches } from '../../../src/training/batches/batch-plan.ts';
import { tinyBatches, tinyModel, tinyPairs } from '../../training/tiny-training.ts';
import { openStageRig } from '../stage-rig.ts';

async function referred(batches: Batches, batch_size = 3): Promise<Batches> {
  await using rig = await openStageRig();
  await cp(tinyModel, rig.path('model'), { recursive: true });
  await writeBatches(rig.path('batches'), batches);
  await rig.run(
    { run },
    {
      config: { batch_size },
      inputs: { model: 'model', batches: 'batches' },
      outputs: { batches: 'out' },
      resources: { backend: 'cpu' },
    },
  );
  return await readBatches(rig.path('out'));
}

test('every answer gets the log-probability that the model gives it, however many are computed at a time', async () => {
  const [few, many] = [await referred(await tinyPairs(), 1), await referred(await tinyPairs(), 8)];
  if (few.preference !== 'paired' || many.preference !== 'paired') throw new Error('these are no pairs');
  const valuesOf = ({ examples }: typeof few) =>
    examples.flatMap(({ chosen, rejected }) => [chosen.reference ?? 0, rejected.reference ?? 0]);
  expect(valuesOf(few).every((value) => value < 0)).toBe(true);
  expect(valuesOf(many)).toEqual(valuesOf(few).map((value) => expect.closeTo(value, 4)));
});

test('examples to learn, and batches of another tokenizer, are refused', async () => {
  await expect(referred(await tinyBatches())).rejects.toMatchObject({ code: 'no-preferences' });
  await expect(referred(await tinyPairs({ vocabulary: 'r50k_base' }))).rejects.toMatchObject({
    code: 'vocabulary-mismatch',
  });
});
