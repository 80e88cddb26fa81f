import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { UserError } from '../../src/core/user-error.ts';
import { openSafetensors } from '../../src/formats/safetensors/open-safetensors.ts';
import { paddedRows } from '../../src/model/attend-rows.ts';
import { type LanguageModel, openLanguageModel } from '../../src/model/language-model.ts';
import { adaptModel } from '../../src/model/lora/adapted-model.ts';
import { newAdapter } from '../../src/model/lora/lora-adapter.ts';
import { loraTargets } from '../../src/model/lora/lora-targets.ts';
import { saveAdaptedModel } from '../../src/model/lora/merge.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { splitBatch } from '../../src/training/batches/micro-batch.ts';
import { defaultLora, loraSettings } from '../../src/training/lora-settings.ts';
import { rewriteValues } from '../../src/training/optimizer/trained-parameter.ts';
import { TrainingState } from '../../src/training/state/training-state.ts';
import { takeStep } from '../../src/training/take-step.ts';
import { backendsUnderTest } from '../backends-under-test.ts';
import peft from '../fixtures/training/lora-steps.json' with { type: 'json' };

const fixture = (name: string) => join(import.meta.dirname, '../fixtures', name);
const seed = 1;

type PeftRun = (typeof peft.runs)[keyof typeof peft.runs];

async function openAdapted({ model, r, alpha, use_rslora, targets }: PeftRun) {
  const chosen = typeof targets === 'string' ? ('all-linear' as const) : targets;
  const base = await openLanguageModel(fixture(model));
  const settings = loraSettings({ ...defaultLora, r, alpha, use_rslora, targets: chosen }, base.config);
  const adapted = adaptModel(base, newAdapter(base, { settings, seed }));
  const dispose = () => {
    adapted.dispose();
    base.dispose();
  };
  return { ...adapted, dispose };
}

const examplesOf = (step: number) =>
  (peft.batches[(step - 1) % peft.batches.length] ?? []).map(({ inputs, targets }, row) => ({
    id: `${row}`,
    inputs: Int32Array.from(inputs),
    targets: Int32Array.from(targets),
    promptLength: 1,
  }));

async function trainLike(run: PeftRun, model: LanguageModel) {
  const optimizer = { name: 'adamw', epsilon: 1e-8, betas: [0.9, 0.999], decay: 'all' } as const;
  const { learning_rate, weight_decay, steps, end_of_text } = peft;
  const state = new TrainingState(model, { ...optimizer, betas: [0.9, 0.999], learning_rate, weight_decay });
  const taken = [];
  for (let step = 1; step <= steps; step++) {
    const batch = splitBatch(examplesOf(step), { endOfText: end_of_text, microBatchSize: undefined });
    taken.push(await takeStep(state, { step, batch, learningRate: learning_rate, clipNorm: undefined }));
  }
  expect(
    largestDifference(
      taken.map(({ loss }) => loss),
      run.losses,
    ),
  ).toBeLessThan(1e-5);
  expect(
    largestDifference(
      taken.map(({ norm }) => norm),
      run.gradient_norms,
    ),
  ).toBeLessThan(1e-4);
}

function logitsOf(model: LanguageModel): Float32Array {
  const ids = Int32Array.from(peft.batches[0]?.[2]?.inputs ?? []);
  return tf.tidy(() => {
    const rows = paddedRows(model.config, { ids, batch: 1, length: ids.length });
    return model.logits(model.hidden(rows)).dataSync<'float32'>();
  });
}

const largestDifference = (ours: ArrayLike<number>, theirs: ArrayLike<number>) => {
  expect(ours).toHaveLength(theirs.length);
  return Math.max(...Array.from(ours, (value, index) => Math.abs(value - (theirs[index] ?? Number.NaN))));
};

describe.each(backendsUnderTest)('LoRA on the %s backend', (backend) => {
  beforeAll(async () => {
    await openTensorBackend({ backend });
  });

  it.each(Object.entries(peft.runs))(
    'twenty steps of adapters that start alike (%s) give the losses, adapters and merged model of PEFT',
    async (name, run) => {
      const folder = await mkdtemp(join(tmpdir(), 'lora-'));
      await using theirs = await openSafetensors(fixture(`training/lora-${name}.safetensors`));
      const model = await openAdapted(run);
      const of = (moment: string, key: string) => theirs.readFloat32(`${moment}.base_model.model.${key}`);
      for (const [key, variable] of model.trainable) {
        const start = await of('before', key);
        rewriteValues(variable, (values) => values.set(start));
      }
      await trainLike(run, model);
      const adapted = logitsOf(model);
      await saveAdaptedModel(folder, model);
      model.dispose();

      await using written = await openSafetensors(join(folder, 'adapter/adapter_model.safetensors'));
      const stored = [...theirs.tensors].filter(([key]) => key.startsWith('after.'));
      expect(Object.fromEntries(written.tensors)).toEqual(
        Object.fromEntries(
          stored.map(([key, { shape }]) => [key.slice('after.'.length), expect.objectContaining({ shape })]),
        ),
      );
      for (const key of written.tensors.keys())
        expect(
          largestDifference(await written.readFloat32(key), await theirs.readFloat32(`after.${key}`)),
        ).toBeLessThan(1e-4);
      const merged = await openLanguageModel(folder);
      const logits = logitsOf(merged);
      merged.dispose();
      expect(largestDifference(logits, adapted)).toBeLessThan(1e-5);
      expect(largestDifference(logits, run.merged_logits)).toBeLessThan(1e-3);
      const config: JsonObject = JSON.parse(
        await readFile(join(folder, 'adapter/adapter_config.json'), 'utf8'),
      );
      const { target_modules, ...rest } = run.adapter_config;
      expect(config).toMatchObject(typeof run.targets === 'string' ? rest : { ...rest, target_modules });
      await rm(folder, { recursive: true });
    },
  );

  it('new adapters change nothing; the weights have no gradients and no moments', async () => {
    const plain = await openLanguageModel(fixture('training/tiny-gpt2'));
    const expected = logitsOf(plain);
    plain.dispose();
    const model = await openAdapted(peft.runs.gpt2);
    expect(logitsOf(model)).toEqual(expected);
    const before = [...model.parameters.values()].map((variable) => variable.dataSync().slice());
    const state = new TrainingState(model, {
      ...{ name: 'adamw', learning_rate: 0.1, weight_decay: 0.1 },
      ...{ betas: [0.9, 0.999], epsilon: 1e-8, decay: 'all' },
    });
    const batch = splitBatch(examplesOf(1), { endOfText: 59, microBatchSize: undefined });
    await takeStep(state, { step: 1, batch, learningRate: 0.1, clipNorm: undefined });
    const names = [...model.parameters.keys(), ...model.adapter.variables.keys()];
    const withMoments = names.filter((name) => state.optimizer.stateOf(name).length > 0);
    expect(withMoments).toEqual([...model.adapter.variables.keys()]);
    expect([...model.parameters.values()].map((variable) => variable.dataSync().slice())).toEqual(before);
    expect(logitsOf(model)).not.toEqual(expected);
    model.dispose();
  });

  it('A starts uniform within 1 / sqrt(I), the same for the same seed', async () => {
    const starts = [];
    for (const _ of [1, 2]) {
      const model = await openAdapted(peft.runs['gpt2-all']);
      starts.push([...model.trainable].map(([name, variable]) => [name, variable.dataSync().slice()]));
      model.dispose();
    }
    expect(starts[0]).toEqual(starts[1]);
    const [down] = starts[0]?.map(([, values]) => values as Float32Array) ?? [];
    const bound = 1 / Math.sqrt(16);
    expect(down?.every((value) => Math.abs(value) <= bound)).toBe(true);
    expect(Math.max(...(down ?? []))).toBeGreaterThan(0.8 * bound);
  });
});

describe('the targets of adapters', () => {
  const targetsOf = async (model: string, targets: 'all-linear' | string[]) => {
    const { config, dispose } = await openLanguageModel(fixture(model));
    dispose();
    return [...loraTargets(config, targets).keys()];
  };

  const gated = ['down_proj', 'gate_proj', 'k_proj', 'o_proj', 'q_proj', 'up_proj', 'v_proj'];
  it.each([
    ['qwen3', gated],
    ['qwen3-moe', [...gated, 'gate'].sort()],
    ['mixtral', ['gate', 'k_proj', 'o_proj', 'q_proj', 'v_proj', 'w1', 'w2', 'w3']],
    ['olmo2', gated],
    ['gpt-neox', ['dense', 'dense_4h_to_h', 'dense_h_to_4h', 'query_key_value']],
    ['phi', ['dense', 'fc1', 'fc2', 'k_proj', 'q_proj', 'v_proj']],
    ['gemma2', gated],
    ['gemma3', gated],
  ])('are those of PEFT with all-linear in a %s model', async (family, modules) => {
    const names = await targetsOf(`model/families/${family}`, 'all-linear');
    expect([...new Set(names.map((name) => name.split('.').at(-1)))].sort()).toEqual(modules);
  });

  it('are named by the end of a name, a whole name or a pattern', async () => {
    expect(await targetsOf('model/tiny-llama', ['q_proj', 'layers.1.mlp.*', 'lm_head'])).toEqual([
      'model.layers.0.self_attn.q_proj',
      'model.layers.1.self_attn.q_proj',
      'model.layers.1.mlp.gate_proj',
      'model.layers.1.mlp.up_proj',
      'model.layers.1.mlp.down_proj',
      'lm_head',
    ]);
    expect(await targetsOf('training/tiny-gpt2', ['transformer.h.0.attn.c_proj'])).toEqual([
      'transformer.h.0.attn.c_proj',
    ]);
  });

  it('that the model does not have are refused, with those it has', async () => {
    const refusal = async (targets: string[]) => {
      const error: unknown = await targetsOf('training/tiny-gpt2', targets).catch((error: unknown) => error);
      return error instanceof UserError ? [error.code, error.message, error.help] : error;
    };
    expect(await refusal(['c_fc', 'q_proj'])).toEqual([
      'unknown-lora-target',
      '`lora.targets` has `q_proj`, which matches no projection or embedding of the model',
      'the model has `wte`, `wpe`, `c_attn`, `c_proj`, `c_fc`, `lm_head`; or write `targets: all-linear`',
    ]);
  });

  it('are embeddings and a tied head only if they are named', async () => {
    expect(await targetsOf('training/tiny-gpt2', ['wte', 'lm_head'])).toEqual(['transformer.wte', 'lm_head']);
    expect(
      await targetsOf('training/tiny-gpt2', ['transformer.w*', 'transformer.h.0.mlp.*']).catch(String),
    ).toContain('`lora.targets` has `transformer.w*`, which matches no projection');
    expect(await targetsOf('training/tiny-gpt2', ['*fc'])).toEqual([
      'transformer.h.0.mlp.c_fc',
      'transformer.h.1.mlp.c_fc',
    ]);
  });
});
