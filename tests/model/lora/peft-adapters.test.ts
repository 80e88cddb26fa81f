import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { execa } from 'execa';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { openSafetensors } from '../../../src/formats/safetensors/open-safetensors.ts';
import { paddedRows } from '../../../src/model/attend-rows.ts';
import { type LanguageModel, openLanguageModel } from '../../../src/model/language-model.ts';
import { adaptModel } from '../../../src/model/lora/adapted-model.ts';
import { type LoraAdapter, loadAdapter } from '../../../src/model/lora/lora-adapter.ts';
import { saveAdaptedModel } from '../../../src/model/lora/merge.ts';
import { openTensorBackend } from '../../../src/tensor/index.ts';
import { splitBatch } from '../../../src/training/batches/micro-batch.ts';
import { TrainingState } from '../../../src/training/state/training-state.ts';
import { takeStep } from '../../../src/training/take-step.ts';
import { backendsUnderTest } from '../../backends-under-test.ts';
import cases from '../../fixtures/adapters/adapters.json' with { type: 'json' };
import steps from '../../fixtures/training/lora-steps.json' with { type: 'json' };

const fixture = (name: string) => join(import.meta.dirname, '../../fixtures', name);
const folderOf = (name: string) => fixture(`adapters/${name}`);
const ignored = -100;

type Case = (typeof cases)[keyof typeof cases];

const within = (ids: readonly number[], { config }: LanguageModel): Int32Array =>
  Int32Array.from(ids, (id) => (id === ignored ? id : id % config.vocabularySize));

function logitsOf(model: LanguageModel): Float32Array {
  const ids = within(steps.batches[0]?.[2]?.inputs ?? [], model);
  return tf.tidy(() => {
    const rows = paddedRows(model.config, { ids, batch: 1, length: ids.length });
    return model.logits(model.hidden(rows)).dataSync<'float32'>();
  });
}

/** Twenty steps of AdamW as adapters.py takes them. */
async function trained(model: LanguageModel) {
  const { learning_rate, weight_decay } = steps;
  const optimizer = { name: 'adamw', epsilon: 1e-8, betas: [0.9, 0.999], decay: 'all' } as const;
  await using state = new TrainingState(model, {
    ...optimizer,
    betas: [...optimizer.betas],
    ...{ learning_rate, weight_decay },
  });
  const taken = [];
  for (let step = 1; step <= steps.steps; step++) {
    const rows = steps.batches[(step - 1) % steps.batches.length] ?? [];
    const examples = rows.map(({ inputs, targets }, row) => ({
      ...{ id: `${row}`, inputs: within(inputs, model), targets: within(targets, model), promptLength: 1 },
    }));
    const batch = splitBatch(examples, { endOfText: 0, microBatchSize: undefined });
    taken.push(await takeStep(state, { step, batch, learningRate: learning_rate, clipNorm: undefined }));
  }
  return { losses: taken.map(({ loss }) => loss), norms: taken.map(({ norm }) => norm) };
}

const largestDifference = (ours: ArrayLike<number>, theirs: ArrayLike<number>) => {
  expect(ours).toHaveLength(theirs.length);
  return Math.max(...Array.from(ours, (value, index) => Math.abs(value - (theirs[index] ?? Number.NaN))));
};

async function opened(name: string, { model }: Pick<Case, 'model'>) {
  const base = await openLanguageModel(fixture(model));
  const adapted = adaptModel(base, await loadAdapter(base, folderOf(name)));
  const dispose = () => {
    adapted.dispose();
    base.dispose();
  };
  return { ...adapted, base, [Symbol.dispose]: dispose };
}

/** GPT-2's bias of keys has no effect on attention, so that its gradient is rounding, which AdamW makes large. */
const withoutKeys = (tensor: string, values: Float32Array): readonly number[] =>
  Array.from(values).filter((_, index) => {
    const third = Math.floor((3 * index) / values.length);
    return !(/c_attn.*bias$/.test(tensor) && third === 1);
  });

/** Names without what PEFT's own modules add to them. */
const plain = (name: string) => name.replace(/\.(base_layer|modules_to_save)\.(?=weight|bias)/, '.');

describe.each(backendsUnderTest)('an adapter that PEFT wrote, on the %s backend', (backend) => {
  beforeAll(async () => {
    await openTensorBackend({ backend });
  });

  it.each(Object.entries(cases))(
    '(%s) gives its logits and, trained on, its losses, gradients, weights and merged model',
    async (name, expected) => {
      const folder = await mkdtemp(join(tmpdir(), 'peft-adapter-'));
      using model = await opened(name, expected);
      expect(largestDifference(logitsOf(model), expected.logits)).toBeLessThan(1e-4);
      const { losses, norms } = await trained(model);
      expect(largestDifference(losses, expected.losses)).toBeLessThan(1e-4);
      expect(largestDifference(norms, expected.gradient_norms)).toBeLessThan(2e-4);
      const logits = logitsOf(model);
      expect(largestDifference(logits, expected.trained_logits)).toBeLessThan(1e-3);

      await saveAdaptedModel(folder, model);
      await using after = await openSafetensors(join(folderOf(name), 'after.safetensors'));
      await using written = await openSafetensors(join(folder, 'adapter/adapter_model.safetensors'));
      for (const [tensor] of after.tensors) {
        if (tensor.includes('original_module') || !written.tensors.has(tensor)) continue;
        const [ours, theirs] = [await written.readFloat32(tensor), await after.readFloat32(tensor)];
        const compared = (values: Float32Array) => withoutKeys(tensor, values);
        expect(largestDifference(compared(ours), compared(theirs)), tensor).toBeLessThan(2e-4);
      }
      const stored = [...written.tensors.keys()].map(plain);
      const missing = [...after.tensors.keys()].map(plain).filter((tensor) => !stored.includes(tensor));
      // The base's own weights need not be stored.
      expect(
        missing.filter((tensor) => !/original_module|(embed_tokens|lm_head|wte)\.weight$/.test(tensor)),
      ).toEqual([]);

      const merged = await openLanguageModel(folder);
      expect(largestDifference(logitsOf(merged), logits)).toBeLessThan(1e-4);
      merged.dispose();
      await rm(folder, { recursive: true });
    },
  );
});

describe('an adapter', () => {
  beforeAll(async () => {
    await openTensorBackend({ backend: 'cpu' });
  });

  it.each(Object.keys(cases))('(%s) is written and read back bit for bit', async (name) => {
    const folder = await mkdtemp(join(tmpdir(), 'peft-adapter-'));
    using model = await opened(name, cases[name as keyof typeof cases]);
    const bytesOf = async (from: LanguageModel & { adapter: LoraAdapter }, to: string) => {
      await saveAdaptedModel(join(folder, to), from);
      const files = ['adapter_config.json', 'adapter_model.safetensors'];
      return Promise.all(files.map((file) => readFile(join(folder, to, 'adapter', file))));
    };
    const first = await bytesOf(model, 'first');
    const again = adaptModel(model.base, await loadAdapter(model.base, join(folder, 'first/adapter')));
    expect(await bytesOf(again, 'second')).toEqual(first);
    again.dispose();
    await rm(folder, { recursive: true });
  });

  it('with DoRA has the same logits when it does not learn, and with inputs of which none is dropped', async () => {
    using model = await opened('dora-bias', cases['dora-bias']);
    const expected = logitsOf(model);
    const fixed = adaptModel(model.base, await loadAdapter(model.base, folderOf('dora-bias')), {
      learns: false,
    });
    expect(logitsOf(fixed)).toEqual(expected);
    fixed.dispose();
    const ids = within(steps.batches[0]?.[2]?.inputs ?? [], model);
    const kept = tf.tidy(() => {
      const rows = paddedRows(model.config, { ids, batch: 1, length: ids.length });
      const dropout = ({ shape }: { readonly shape: readonly number[] }) => tf.ones([...shape]);
      return model.logits(model.hidden({ ...rows, dropout })).dataSync<'float32'>();
    });
    expect(largestDifference(kept, expected)).toBeLessThan(1e-5);
  });

  it('leaves its base as it was, and no tensors behind', async () => {
    const base = await openLanguageModel(fixture('training/tiny-gpt2'));
    const before = logitsOf(base);
    const { numTensors } = tf.memory();
    for (const name of ['biases', 'dora-bias', 'embedding-tied'] as const) {
      const adapted = adaptModel(base, await loadAdapter(base, folderOf(name)), { learns: false });
      expect(largestDifference(logitsOf(adapted), cases[name].logits)).toBeLessThan(1e-4);
      adapted.dispose();
    }
    expect(logitsOf(base)).toEqual(before);
    expect(tf.memory().numTensors).toBe(numTensors);
    base.dispose();
  });
});

const python = process.env.TUNELOOM_PEERS_PYTHON;
const findsAll =
  'import importlib.util as u; assert all(map(u.find_spec, ["torch", "transformers", "peft"]))';
const hasPeers = python !== undefined && spawnSync(python, ['-c', findsAll]).status === 0;

test.skipIf(!hasPeers)(
  `PEFT loads what is written, with equal logits${hasPeers ? '' : ' (skipped: TUNELOOM_PEERS_PYTHON names no Python with torch, transformers and peft)'}`,
  async () => {
    await openTensorBackend({ backend: 'onnx' });
    const folder = await mkdtemp(join(tmpdir(), 'peft-adapter-'));
    const words: string[] = [];
    const ours: Float32Array[] = [];
    for (const [name, { model: path }] of Object.entries(cases)) {
      using model = await opened(name, { model: path });
      await saveAdaptedModel(join(folder, name), model);
      const ids = within(steps.batches[0]?.[2]?.inputs ?? [], model);
      words.push(fixture(path), join(folder, name, 'adapter'), JSON.stringify([...ids]));
      ours.push(logitsOf(model));
    }
    const { stdout } = await execa(python ?? '', [fixture('adapters/logits.py'), ...words]);
    const theirs: number[][] = JSON.parse(stdout);
    for (const [index, logits] of ours.entries())
      expect(largestDifference(logits, theirs[index] ?? []), Object.keys(cases)[index]).toBeLessThan(1e-4);
    await rm(folder, { recursive: true });
  },
  180_000,
);
