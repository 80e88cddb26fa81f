import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { paddedRows } from '../../src/model/attend-rows.ts';
import { writeModelFolder } from '../../src/model/folder/model-folder.ts';
import { initialModel } from '../../src/model/initial-model.ts';
import { openLanguageModel } from '../../src/model/language-model.ts';
import { crossEntropy, openTensorBackend } from '../../src/tensor/index.ts';

let root: string;
beforeAll(async () => {
  await openTensorBackend({ backend: 'cpu' });
  root = await mkdtemp(join(tmpdir(), 'initial-'));
});
afterAll(() => rm(root, { recursive: true }));

const sizes = { vocabularySize: 50, contextLength: 32, hiddenSize: 32, layers: 2, heads: 2 };
const families = [
  ...(['gpt2', 'llama', 'mixtral', 'qwen3', 'qwen3_moe', 'olmo2', 'gpt_neox', 'phi'] as const),
  ...(['gemma2', 'gemma3_text'] as const),
];

test.each(families)(
  'a new %s model knows nothing yet: every token is about equally likely',
  async (family) => {
    const folder = join(root, family);
    await writeModelFolder(folder, initialModel({ family, ...sizes, tied: false, seed: 1, endOfText: 49 }));
    const model = await openLanguageModel(folder);
    expect(model.config.notes).toEqual([]);
    const ids = Int32Array.from({ length: 20 }, (_, index) => (7 * index) % 49);
    const loss = tf.tidy(() => {
      const logits = model.logits(model.hidden(paddedRows(model.config, { ids, batch: 1, length: 20 })));
      return crossEntropy({ logits, targets: tf.tensor1d(ids, 'int32') }).dataSync()[0] ?? Number.NaN;
    });
    model.dispose();
    expect(Math.abs(loss - Math.log(50))).toBeLessThan(0.1);
  },
);
