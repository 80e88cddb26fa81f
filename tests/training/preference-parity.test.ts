import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { openSafetensors } from '../../src/formats/safetensors/open-safetensors.ts';
import type { TrainConfig } from '../../src/generated/train-config.ts';
import { type LanguageModel, openLanguageModel } from '../../src/model/language-model.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { openTokenizer } from '../../src/text/tokenizer/open-tokenizer.ts';
import type { Batches } from '../../src/training/batches/batch-plan.ts';
import type { HistoryEntry } from '../../src/training/history.ts';
import { rewriteValues } from '../../src/training/optimizer/trained-parameter.ts';
import { withReference } from '../../src/training/preference/reference.ts';
import { train } from '../../src/training/train.ts';
import { tuneModel } from '../../src/training/tune-model.ts';
import { backendsUnderTest } from '../backends-under-test.ts';
import trl from '../fixtures/training/preference/trl-steps.json' with { type: 'json' };
import { fixture, openPreferenceRig, trainConfig } from './preference-rig.ts';

const folders = { gpt2: 'training/tiny-gpt2', llama: 'model/tiny-llama' };

interface TrlRun {
  readonly model: string;
  readonly objective: string;
  readonly beta: number;
  readonly lora?: JsonObject;
  readonly reference?: boolean;
  readonly [setting: string]: unknown;
}

const runs: Readonly<Record<string, TrlRun>> = trl.runs;
const settingNames = [
  ...['beta', 'loss_type', 'label_smoothing', 'reference_free', 'average_log_prob'],
  ...['simpo_gamma', 'desirable_weight', 'undesirable_weight'],
];

function configOf(run: TrlRun, given: JsonObject = {}): TrainConfig {
  const { learning_rate, weight_decay, epochs } = trl.settings;
  const preference = Object.fromEntries(
    settingNames.flatMap((name) => (run[name] === undefined ? [] : [[name, run[name]]])),
  );
  return trainConfig({
    epochs,
    objective: run.objective,
    preference,
    optimizer: { learning_rate, weight_decay, decay: 'matrices' },
    ...(run.lora && { lora: { ...run.lora, targets: ['q_proj', 'v_proj', 'down_proj'] } }),
    evaluate: { every: 1000, batches: 1 },
    sample: { max_new_tokens: 0 },
    ...given,
  } as JsonObject);
}

const largestDifference = (ours: ArrayLike<number>, theirs: ArrayLike<number>) => {
  expect(ours).toHaveLength(theirs.length);
  return Math.max(...Array.from(ours, (value, index) => Math.abs(value - (theirs[index] ?? Number.NaN))));
};

/** The plain JavaScript backend is slow, and its formulas are those of the others. */
const onCpu = ['dpo', 'orpo', 'kto'];

describe.each(backendsUnderTest)('on the %s backend', (backend) => {
  const isTested = (name: string) => backend !== 'cpu' || onCpu.includes(name);

  let rig: Awaited<ReturnType<typeof openPreferenceRig>>;
  beforeAll(async () => {
    await openTensorBackend({ backend });
    rig = await openPreferenceRig();
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  async function batchesOf({ model, objective }: TrlRun): Promise<Batches> {
    const isLabeled = objective === 'kto';
    return await rig.batches(isLabeled ? trl.labeled : trl.pairs, {
      model: folders[model as keyof typeof folders],
      format: {
        template: { prompt: '{{ prompt }}', header: '', response: '{{ completion }}' },
        preference: isLabeled ? 'unpaired' : 'paired',
      },
      // What orpo learns, as in trl, is the whole text.
      collate: { batch_size: trl.settings.batch_size, shuffle: false, train_on: 'all' },
    });
  }

  async function tune(name: string, given: JsonObject = {}) {
    const run = runs[name];
    if (run === undefined) throw new Error(`trl-steps.py makes no ${name}`);
    const folder = fixture(folders[run.model as keyof typeof folders]);
    const state = await mkdtemp(join(tmpdir(), 'preference-'));
    const config = configOf(run, given);
    const model = await openLanguageModel(folder);
    const history: HistoryEntry[] = [];
    const tuned = tuneModel(model, { config, seed: 0 });
    const signal = new AbortController().signal;
    let batches = await batchesOf(run);
    if (run.reference) {
      const reference = await openLanguageModel(fixture('training/preference/reference-llama'));
      const layout = { endOfText: batches.endOfText, microBatchSize: 2, paddingFree: true };
      batches = await withReference(batches, { model: reference, layout, signal, onProgress: () => {} });
      reference.dispose();
    }
    if (run.lora) await setAdapters(tuned.model, `trl-${name}`, 'before');
    await train({
      ...{ model: tuned.model, tokenizer: await openTokenizer(folder), batches, endTokens: [], config },
      ...{ statePath: state, fingerprint: 'test', signal, clock: () => 0 },
      onEntry: async (entry) => void history.push(entry),
      onNote: () => {},
      onProgress: () => {},
    });
    await rm(state, { recursive: true, force: true });
    const steps = history.filter((entry) => entry.type === 'step');
    return { run, tuned, model, steps };
  }

  async function setAdapters(model: LanguageModel, file: string, when: string): Promise<void> {
    await using adapters = await openSafetensors(fixture(`training/preference/${file}.safetensors`));
    for (const [name, variable] of model.trainable) {
      const values = await adapters.readFloat32(`${when}.base_model.model.${name}`);
      rewriteValues(variable, (own) => own.set(values));
    }
  }

  /** A key's bias has a gradient of zero but for rounding, which AdamW scales to whole steps. */
  const withoutKeyBias = (name: string, values: Float32Array): readonly number[] => {
    const third = values.length / 3;
    return [...values].filter(
      (_, index) => !name.endsWith('c_attn.bias') || index < third || index >= 2 * third,
    );
  };

  async function expectParity(name: string, given: JsonObject = {}): Promise<void> {
    const { run, tuned, model, steps } = await tune(name, given);
    const theirs = run.steps as readonly Readonly<Record<string, number>>[];
    expect(steps).toHaveLength(theirs.length);
    const differences = steps.flatMap((step, index) => {
      const measured: Readonly<Record<string, unknown>> = { ...step, ...step.figures };
      return Object.entries(theirs[index] ?? {}).map(([figure, value]) =>
        Math.abs(Number(measured[figure]) - value),
      );
    });
    expect(Math.max(...differences)).toBeLessThan(1e-4);
    const norms = run.gradient_norms as readonly number[];
    expect(
      largestDifference(
        steps.map(({ gradient_norm = Number.NaN }) => gradient_norm),
        norms,
      ),
    ).toBeLessThan(1e-4 * Math.max(1, ...norms));
    await using after = await openSafetensors(fixture(`training/preference/trl-${name}.safetensors`));
    const weights: number[] = [];
    for (const [parameter, variable] of tuned.model.trainable) {
      const stored = run.lora ? `after.base_model.model.${parameter}` : parameter;
      weights.push(
        largestDifference(
          withoutKeyBias(parameter, variable.dataSync<'float32'>()),
          withoutKeyBias(parameter, await after.readFloat32(stored)),
        ),
      );
    }
    expect(Math.max(...weights)).toBeLessThan(1e-4);
    tuned[Symbol.dispose]();
    model.dispose();
  }

  it.each(Object.keys(runs).filter((name) => isTested(name) && 'steps' in (runs[name] ?? {})))(
    'twenty steps (%s) give the losses, rewards, norms and weights of TRL',
    (name) => expectParity(name),
  );

  it.runIf(backend !== 'cpu').each(Object.keys(runs).filter((name) => 'losses' in (runs[name] ?? {})))(
    'twenty steps (%s) give the losses of TRL',
    async (name) => {
      const { run, model, tuned, steps } = await tune(name);
      const losses = steps.map(({ loss }) => loss);
      tuned[Symbol.dispose]();
      model.dispose();
      expect(largestDifference(losses, run.losses as readonly number[])).toBeLessThan(1e-4);
    },
  );

  it.runIf(backend !== 'cpu').each([
    ['dpo', { micro_batch_size: 1 }],
    ['orpo', { micro_batch_size: 2 }],
    ['kto', { micro_batch_size: 2 }],
    ['dpo-reference', { padding_free: false, micro_batch_size: 2 }],
    ['simpo', { gradient_checkpointing: true }],
  ] as const)('batches of %s computed in another way (%o) give them too', (name, given) =>
    expectParity(name, given),
  );
});
