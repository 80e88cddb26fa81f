import type { TrainConfig } from '../../generated/train-config.ts';
import type { ConfigProblem } from '../../runtime/index.ts';
import { fieldsOfObjective, keptEpochs } from '../../training/index.ts';
import { declareStage } from '../declare-stage.ts';
import { precisionProblems } from '../models/precision-problems.ts';
import { bestMetricProblems, validationPorts } from './best-metric.ts';
import { optimizerProblems } from './optimizer-problems.ts';

export const trainStage = declareStage<TrainConfig>({
  name: 'train',
  version: 5,
  // Another order of operations changed the last digits of these alone.
  versionOf: ({ optimizer, base_precision }) =>
    optimizer.name !== 'adamw' || base_precision === 'int4' ? 6 : 5,
  ports: (config) => ({
    inputs: {
      model: { accepts: ['model'], required: true, parts: 'one' },
      train: { accepts: ['batches'], required: true, parts: 'one' },
      ...(config.lora === 'continue' && {
        adapter: { accepts: ['adapter', 'model'], required: true, parts: 'one' },
      }),
      ...validationPorts(config),
      ...(config.evaluate.generation && { prompts: { accepts: ['records'], required: true, parts: 'one' } }),
    },
    outputs: { model: { type: 'model' }, history: { type: 'history' } },
  }),
  check: (config, resources) => [
    ...scheduleProblems(config.schedule),
    ...optimizerProblems(config),
    ...bestMetricProblems(config),
    ...preferenceProblems(config),
    ...precisionProblems(config.precision, resources),
    ...(config.precision !== 'float32' && config.base_precision !== 'float32' ? [halfOfRounded] : []),
    ...(config.lora === 'continue' && config.trainable_tokens !== undefined ? [tokensOfAdapter] : []),
    ...(config.lora !== undefined && config.trainable !== undefined ? [loraAlone] : []),
    ...(config.lora === undefined && config.base_precision !== 'float32' ? [frozenBase] : []),
  ],
  horizon: { fields: horizonOf, describe: remainingEpochs },
  process: 'child',
  device: 'accelerator',
  load: () => import('./run-train.ts'),
});

const tokensOfAdapter: ConfigProblem = {
  pointer: '/trainable_tokens',
  code: 'tokens-of-adapter',
  message:
    '`lora: continue` trains what the adapter has, its tokens included, so `trainable_tokens` has no effect',
  help: 'remove it',
};

/** Settings of preferences that the objective does not use. */
function preferenceProblems({ objective, preference }: TrainConfig): readonly ConfigProblem[] {
  const used: readonly string[] = fieldsOfObjective[objective];
  const smoothed = preference.loss_type ?? 'sigmoid';
  const isSmoothed = objective !== 'dpo' || smoothed === 'sigmoid' || smoothed === 'robust';
  return Object.keys(preference)
    .filter((field) => !used.includes(field) || (field === 'label_smoothing' && !isSmoothed))
    .map((field) => ({
      pointer: `/preference/${field}`,
      code: 'unused-field',
      message: `\`${field}\` has no effect on \`objective: ${objective}\`${used.includes(field) ? ` with \`loss_type: ${smoothed}\`` : ''}`,
      help:
        used.length === 0
          ? 'choose an objective that compares answers, such as `objective: dpo`, or remove it'
          : `remove it; ${objective} uses ${used.map((name) => `\`${name}\``).join(', ')}`,
    }));
}

const frozenBase: ConfigProblem = {
  pointer: '/base_precision',
  code: 'frozen-base',
  message: '`base_precision` keeps weights that are not trained, and without `lora` they are',
  help: 'add `lora`, or remove it',
};

const halfOfRounded: ConfigProblem = {
  pointer: '/base_precision',
  code: 'half-of-rounded',
  message: '`base_precision` is for the backends onnx and cpu, which have no `precision` but float32',
  help: 'remove one of them',
};

const loraAlone: ConfigProblem = {
  pointer: '/trainable',
  code: 'lora-alone',
  message: '`lora` trains only its adapters, so `trainable` has no effect',
  help: 'remove one of them; `lora.targets` selects the projections that get an adapter',
};

/** The number of epochs changes none of a training's steps, unless the schedule depends on it. */
function horizonOf({ schedule }: TrainConfig): readonly string[] {
  return schedule.name === 'constant' && schedule.warmup_share === undefined ? ['epochs'] : [];
}

function remainingEpochs({ epochs }: TrainConfig, kept: readonly string[]): string | undefined {
  const before = Math.max(0, ...keptEpochs(kept).map(({ epoch }) => (epoch <= epochs ? epoch : 0)));
  if (before === 0) return undefined;
  if (before === epochs) return `reuses the ${counted(epochs)} that ${epochs === 1 ? 'is' : 'are'} kept`;
  return `trains ${epochs - before} more ${epochs - before === 1 ? 'epoch' : 'epochs'} after ${before} kept`;
}

const counted = (epochs: number): string => (epochs === 1 ? 'epoch' : `${epochs} epochs`);

type Schedule = TrainConfig['schedule'];

/** Fields of a schedule that contradict each other or do not apply to its kind. */
function* scheduleProblems(schedule: Schedule): Generator<ConfigProblem> {
  for (const part of ['warmup', 'decay'] as const)
    if (schedule[`${part}_steps`] !== undefined && schedule[`${part}_share`] !== undefined)
      yield {
        pointer: `/schedule/${part}_share`,
        code: part === 'warmup' ? 'two-warmups' : 'two-decays',
        message: `\`${part}_share\` and \`${part}_steps\` both set the length of the ${part === 'warmup' ? 'warm-up' : 'decay'}`,
        help: 'keep one of them',
      };
  if (schedule.name === 'constant' && schedule.final_share !== undefined)
    yield unused(
      'final_share',
      'choose `name: linear`, `name: cosine` or `name: wsd`, or remove it',
      schedule,
    );
  for (const field of ['decay_steps', 'decay_share', 'decay_shape'] as const)
    if (schedule.name !== 'wsd' && schedule[field] !== undefined)
      yield unused(field, 'choose `name: wsd`, or remove it', schedule);
}

const unused = (field: keyof Schedule, help: string, { name }: Schedule): ConfigProblem => ({
  pointer: `/schedule/${field}`,
  code: 'unused-field',
  message: `\`${field}\` has no effect on a ${name} schedule`,
  help,
});
