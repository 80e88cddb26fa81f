import { cp, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { openLanguageModel } from '../../src/model/language-model.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { splitBatch } from '../../src/training/batches/micro-batch.ts';
import { lossAndGradients } from '../../src/training/gradients.ts';
import { tuneModel } from '../../src/training/tune-model.ts';
import { backendsUnderTest } from '../backends-under-test.ts';
import given from '../fixtures/training/router-loss.json' with { type: 'json' };
import { openStageRig } from '../stages/stage-rig.ts';

const examples = given.rows.map((row, index) => ({
  id: `${index}`,
  inputs: Int32Array.from(row),
  targets: Int32Array.from(given.targets[index] ?? []),
  promptLength: 0,
}));

/** The loss of the examples and the gradients by the routers. */
async function measured(
  name: string,
  fields: object,
  { paddingFree, checkpoints }: { readonly paddingFree: boolean; readonly checkpoints: boolean },
) {
  await using rig = await openStageRig();
  await cp(fileURLToPath(new URL(`../fixtures/model/families/${name}`, import.meta.url)), rig.path('model'), {
    recursive: true,
  });
  const config = JSON.parse(await readFile(rig.path('model/config.json'), 'utf8'));
  await writeFile(rig.path('model/config.json'), JSON.stringify({ ...config, ...fields }));
  const loaded = await openLanguageModel(rig.path('model'));
  const { model, ...tuned } = tuneModel(loaded, { config: { gradient_checkpointing: checkpoints }, seed: 0 });
  const layout = { microBatchSize: 2, endOfText: 30, paddingFree, multipleOf: 4 };
  const { loss, gradients } = await lossAndGradients(model, splitBatch(examples, layout));
  const routers = new Map<string, readonly number[]>();
  for (const [parameter, gradient] of gradients)
    if (parameter.endsWith('.gate.weight')) routers.set(parameter, [...(await gradient.data())]);
  tf.dispose([...gradients.values()]);
  tuned[Symbol.dispose]();
  loaded.dispose();
  return { loss, routers };
}

const asked = { output_router_logits: true, router_aux_loss_coef: given.coefficient };
const layouts = [true, false].flatMap((paddingFree) =>
  [true, false].map((checkpoints) => ({ paddingFree, checkpoints })),
);

describe.each(backendsUnderTest)('on the %s backend', (backend) => {
  test.each(Object.entries(given.models))(
    '%s is trained with the routers’ loss of transformers where its config.json asks for it, however a batch is laid out',
    async (name, expected) => {
      await openTensorBackend({ backend });
      for (const layout of layouts) {
        const { loss, routers } = await measured(name, asked, layout);
        expect(loss).toBeCloseTo(expected.loss, 5);
        for (const [parameter, values] of Object.entries(expected.gradients)) {
          const found = routers.get(parameter) ?? [];
          expect(
            Math.max(...values.map((value, at) => Math.abs(value - (found[at] ?? Number.NaN)))),
          ).toBeLessThan(1e-5);
        }
      }
    },
  );

  test('without it, the loss is the cross-entropy', async () => {
    await openTensorBackend({ backend });
    const { loss } = await measured('mixtral', {}, { paddingFree: true, checkpoints: false });
    expect(loss).toBeCloseTo(given.models.mixtral.cross_entropy, 5);
  });
});
