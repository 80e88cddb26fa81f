import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { UserError } from '../../../src/core/user-error.ts';
import { readEndTokens } from '../../../src/model/folder/end-tokens.ts';
import { openLanguageModel } from '../../../src/model/language-model.ts';
import { fillDefaults } from '../../../src/runtime/config/schema/applicable-schemas.ts';
import type { StageReport } from '../../../src/runtime/stage/stage-definition.ts';
import { writeBatches } from '../../../src/stages/ports/batches-file.ts';
import { run } from '../../../src/stages/train/run-train.ts';
import { trainStage } from '../../../src/stages/train/train-stage.ts';
import type { PlainBatches } from '../../../src/training/batches/batch-plan.ts';
import { countingExamples, tinyBatches, tinyModel } from '../../training/tiny-training.ts';

const small: JsonObject = { epochs: 1, sample: { max_new_tokens: 3 } };

/** A folder in which the train stage runs as in the runtime. */
class TrainRig implements AsyncDisposable {
  readonly folder: string;
  readonly reports: StageReport[] = [];
  #runs = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<TrainRig> {
    return new TrainRig(await mkdtemp(join(tmpdir(), 'train-stage-')));
  }

  /** Runs the stage and returns the folder of its outputs. */
  async run({ config = small, batches = {}, backend = 'onnx', model = tinyModel }: RigRun = {}) {
    const outputs = await mkdtemp(join(this.folder, 'outputs-'));
    const at = (name: string) => join(outputs, name);
    await writeBatches(at('train'), await tinyBatches(batches));
    await writeBatches(at('validation'), await tinyBatches({ examples: countingExamples(4) }));
    this.#runs += 1;
    const measurements = await run(
      {
        stage: 'train',
        uses: 'train',
        version: trainStage.version,
        config: fillDefaults(trainStage.schema, config),
        inputs: {
          model: { path: model },
          train: { path: at('train') },
          validation: { path: at('validation') },
        },
        outputs: { model: { path: at('model') }, history: { path: at('history') } },
        statePath: join(this.folder, `state-${this.#runs}`),
        resources: { backend, threads: 2 },
      },
      { signal: new AbortController().signal, report: (report) => void this.reports.push(report) },
    );
    return { measurements, model: at('model'), history: at('history') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}

interface RigRun {
  readonly config?: JsonObject;
  readonly batches?: Partial<PlainBatches>;
  readonly backend?: string;
  /** The folder of the model that is trained. */
  readonly model?: string;
}

const digestOf = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

describe('train', () => {
  it('writes a model folder that opens, with the tokenizer of its input', async () => {
    await using rig = await TrainRig.create();
    const { model } = await rig.run();
    expect((await readdir(model)).sort()).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
    expect(await digestOf(join(model, 'tokenizer.json'))).toBe(
      await digestOf(join(tinyModel, 'tokenizer.json')),
    );
    const opened = await openLanguageModel(model);
    expect(opened.parameters.size).toBe(28);
    opened.dispose();
  });

  it('copies the files for other programs, and adds the ends that it taught to those of an answer', async () => {
    await using rig = await TrainRig.create();
    const base = join(rig.folder, 'base');
    await cp(tinyModel, base, { recursive: true });
    const files: Readonly<Record<string, string>> = {
      'generation_config.json': '{"eos_token_id":[3,4]}',
      'special_tokens_map.json': '{"eos_token":"<|end|>"}',
      'added_tokens.json': '{"<|end|>":4}',
      'chat_template.jinja': '{{ messages }}',
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(base, name), text);
    const { model } = await rig.run({ model: base });
    const written = Object.keys(files).map(async (name) => [name, await readFile(join(model, name), 'utf8')]);
    expect(Object.fromEntries(await Promise.all(written))).toEqual({
      ...files,
      'generation_config.json': `${JSON.stringify({ eos_token_id: [3, 4, 59] }, undefined, 2)}\n`,
    });
    expect(await readEndTokens(model)).toEqual([3, 4, 59]);
  });

  it('writes with `lora` the merged model, and the adapters in a separate folder', async () => {
    await using rig = await TrainRig.create();
    const { model } = await rig.run({ config: { ...small, lora: { r: 2, targets: ['c_attn'] } } });
    const files = (await readdir(model, { recursive: true })).sort();
    expect(files).toEqual([
      'adapter',
      'adapter/adapter_config.json',
      'adapter/adapter_model.safetensors',
      'config.json',
      'model.safetensors',
      'tokenizer.json',
    ]);
    const opened = await openLanguageModel(model);
    expect(opened.parameters.size).toBe(28);
    opened.dispose();
  });

  it.each(['cpu', 'onnx'])('writes the same bytes for the same inputs on the %s backend', async (backend) => {
    await using rig = await TrainRig.create();
    const digests = async () => {
      const { model, history } = await rig.run({ backend });
      return [await digestOf(join(model, 'model.safetensors')), await digestOf(history)];
    };
    expect(await digests()).toEqual(await digests());
  });

  it('writes the same bytes on the cpu backend as long as its version is the same', async () => {
    await using rig = await TrainRig.create();
    const { model, history } = await rig.run({ backend: 'cpu' });
    const written = {
      version: trainStage.version,
      weights: (await digestOf(join(model, 'model.safetensors'))).slice(0, 16),
      history: (await digestOf(history)).slice(0, 16),
    };
    expect(written).toMatchInlineSnapshot(`
      {
        "history": "14901fb5f5053ac3",
        "version": 5,
        "weights": "a399f553c17b8825",
      }
    `);
  });

  it('refuses a model that an endpoint serves', async () => {
    await using rig = await TrainRig.create();
    const served = join(rig.folder, 'served');
    await mkdir(served);
    await writeFile(join(served, 'endpoint.json'), '{"provider":"openai","model":"some-model"}');
    const error = await rig.run({ model: served }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      code: 'endpoint-model',
      message: 'the model `some-model` is served by an endpoint, so its weights are not available',
    });
  });

  it('writes a history without times, one JSON object per line', async () => {
    await using rig = await TrainRig.create();
    const { history } = await rig.run();
    const lines = (await readFile(history, 'utf8')).trimEnd().split('\n');
    const fields = lines.map((line) => Object.keys(JSON.parse(line)).join(' '));
    expect(fields).toEqual([
      'type step epoch train_loss validation_loss',
      'type step epoch loss learning_rate gradient_norm tokens',
      'type step epoch train_loss validation_loss',
      'type step epoch loss learning_rate gradient_norm tokens',
      'type step epoch loss learning_rate gradient_norm tokens',
      'type step epoch train_loss validation_loss',
      'type step epoch prompt response',
      'type step epoch best_step reason',
    ]);
  });

  it('reports every step with its losses first, evaluations while they go on, and what it measured', async () => {
    await using rig = await TrainRig.create();
    const { measurements } = await rig.run();
    const lines = rig.reports.map((report) => {
      if (report.type === 'note') return report.message;
      const { unit, done, total, figures = {}, phase } = report;
      return [`${unit} ${done} of ${total}`, ...Object.keys(figures), ...(phase ? [phase.name] : [])].join(
        ', ',
      );
    });
    const shown = lines.filter((line, index) => line !== lines[index - 1]);
    const figures = 'loss, validation_loss, tokens_per_second, learning_rate';
    expect(shown).toEqual([
      'step 0 of 3, evaluating',
      `step 1 of 3, ${figures}`,
      `step 1 of 3, ${figures}, evaluating`,
      `step 2 of 3, ${figures}`,
      `step 3 of 3, ${figures}`,
      `step 3 of 3, ${figures}, evaluating`,
      expect.stringMatching(/^after epoch 1 the model writes: w\d+ w\d+ w\d+$/),
    ]);
    expect(Object.keys(measurements)).toEqual([
      ...['backend', 'engine', 'instructionSet', 'threads'],
      ...['steps', 'tokens_per_second', 'seconds', 'expected_memory', 'peak_memory'],
    ]);
  });

  it('tells the user what to fix if the batches have another vocabulary', async () => {
    await using rig = await TrainRig.create();
    const error = await rig.run({ batches: { vocabulary: 'r50k_base' } }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ code: 'vocabulary-mismatch' });
  });
});

describe("train's configuration", () => {
  const problems = (config: JsonObject) => {
    expect(trainStage.validate(config)).toBe(true);
    return trainStage.check?.(fillDefaults(trainStage.schema, config));
  };

  it("has the reference experiment's values as defaults", () => {
    expect(fillDefaults(trainStage.schema, {})).toEqual({
      epochs: 2,
      objective: 'sft',
      preference: {},
      optimizer: {
        name: 'adamw',
        learning_rate: 5e-5,
        weight_decay: 0.1,
        betas: [0.9, 0.999],
        epsilon: 1e-8,
        decay: 'all',
      },
      schedule: { name: 'constant' },
      precision: 'float32',
      base_precision: 'float32',
      dropout: { embedding: 0, attention: 0, residual: 0 },
      evaluate: { every: 5, batches: 5 },
      metric_for_best_model: 'validation_loss',
      keep: 'last',
      keep_epochs: 2,
      sample: { max_new_tokens: 50 },
      gradient_checkpointing: false,
      padding_free: true,
      pad_to_multiple_of: 16,
    });
  });

  it('has for each objective the settings of preferences that it uses', () => {
    const pointers = (config: JsonObject) =>
      problems(config)?.map(({ pointer, message }) => [pointer, message]);
    expect([
      pointers({ preference: { beta: 0.2 } }),
      pointers({ objective: 'ipo', preference: { beta: 0.2, label_smoothing: 0.1 } }),
      pointers({ objective: 'dpo', preference: { loss_type: 'hinge', label_smoothing: 0.1 } }),
      pointers({ objective: 'dpo', preference: { loss_type: 'robust', label_smoothing: 0.1 } }),
      pointers({ objective: 'kto', keep: 'best', metric_for_best_model: 'validation_rewards_accuracies' }),
      pointers({ objective: 'dpo', keep: 'best', metric_for_best_model: 'validation_rewards_accuracies' }),
    ]).toEqual([
      [['/preference/beta', '`beta` has no effect on `objective: sft`']],
      [['/preference/label_smoothing', '`label_smoothing` has no effect on `objective: ipo`']],
      [
        [
          '/preference/label_smoothing',
          '`label_smoothing` has no effect on `objective: dpo` with `loss_type: hinge`',
        ],
      ],
      [],
      [['/metric_for_best_model', 'nothing measures `validation_rewards_accuracies`']],
      [],
    ]);
  });

  it('sets the warm-up once, and has a final share only with a decay', () => {
    expect(
      problems({ schedule: { warmup_steps: 1, warmup_share: 0.1, name: 'linear', final_share: 0.1 } }),
    ).toEqual([
      {
        pointer: '/schedule/warmup_share',
        code: 'two-warmups',
        message: '`warmup_share` and `warmup_steps` both set the length of the warm-up',
        help: 'keep one of them',
      },
    ]);
    expect(problems({ schedule: { final_share: 0.1 } })).toEqual([
      {
        pointer: '/schedule/final_share',
        code: 'unused-field',
        message: '`final_share` has no effect on a constant schedule',
        help: 'choose `name: linear`, `name: cosine` or `name: wsd`, or remove it',
      },
    ]);
  });

  it('has decay fields only for a wsd schedule, and sets the decay once', () => {
    const decay = { decay_steps: 3, decay_share: 0.2 };
    const found = (schedule: JsonObject) =>
      problems({ schedule })?.map(({ code, message }) => `${code}: ${message}`);
    expect(found({ name: 'wsd', ...decay })).toEqual([
      'two-decays: `decay_share` and `decay_steps` both set the length of the decay',
    ]);
    expect(found({ name: 'linear', decay_shape: '1-sqrt' })).toEqual([
      'unused-field: `decay_shape` has no effect on a linear schedule',
    ]);
  });

  it('has adapters or selected parameters, not both', () => {
    expect(problems({ lora: {}, trainable: ['*'] })).toEqual([
      {
        pointer: '/trainable',
        code: 'lora-alone',
        message: '`lora` trains only its adapters, so `trainable` has no effect',
        help: 'remove one of them; `lora.targets` selects the projections that get an adapter',
      },
    ]);
  });

  it('requires the validation port if its loss decides something', () => {
    const isRequired = (config: JsonObject) =>
      trainStage.ports(fillDefaults(trainStage.schema, config)).inputs.validation?.required;
    expect([{}, { keep: 'best' }, { early_stop: { patience: 1 } }].map(isRequired)).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('requires the validation set that is named, or prompts for scores of answers', () => {
    const generation = { metrics: ['rouge1'] };
    const inputsOf = (config: JsonObject) => {
      const { inputs } = trainStage.ports(fillDefaults(trainStage.schema, config));
      return Object.entries(inputs).map(([port, { required, named = false }]) =>
        [port, ...(required ? ['required'] : []), ...(named ? ['named'] : [])].join(' '),
      );
    };
    const first = ['model required', 'train required'];
    expect(inputsOf({})).toEqual([...first, 'validation named']);
    expect(inputsOf({ keep: 'best' })).toEqual([...first, 'validation required']);
    expect(inputsOf({ keep: 'best', metric_for_best_model: 'validation_loss/hard' })).toEqual([
      ...first,
      ...['validation named', 'validation.hard required'],
    ]);
    expect(inputsOf({ keep: 'best', metric_for_best_model: 'rouge1', evaluate: { generation } })).toEqual([
      ...first,
      ...['validation named', 'prompts required'],
    ]);
  });

  it.each([
    [{ optimizer: { name: 'adafactor' } }, 'no-learning-rate: `adafactor` needs a learning rate'],
    [
      { optimizer: { name: 'adafactor', relative_step: true, learning_rate: 1e-3 } },
      'unused-field: `relative_step` sets the learning rate itself',
    ],
    [
      { optimizer: { name: 'adafactor', relative_step: true }, schedule: { name: 'linear' } },
      'unused-field: `relative_step` sets the learning rate, without a schedule',
    ],
    [
      { optimizer: { name: 'adafactor', learning_rate: 1e-3, warmup_init: true } },
      'unused-field: `warmup_init` only affects `relative_step`',
    ],
    [
      { optimizer: { name: 'sgd', nesterov: true } },
      'unused-field: `nesterov` looks ahead by the momentum, and there is none',
    ],
    [{ loraplus_lr_ratio: 4 }, 'unused-field: `loraplus_lr_ratio` only affects `lora`'],
    [
      { metric_for_best_model: 'rouge1' },
      'unused-field: `metric_for_best_model` has no effect: nothing watches it',
    ],
    [{ keep: 'best', metric_for_best_model: 'rouge1' }, 'unknown-metric: nothing measures `rouge1`'],
  ] as const)('has no setting without effect: %j', (config, problem) => {
    expect(problems(config)?.map(({ code, message }) => `${code}: ${message}`)).toEqual([problem]);
  });
});
