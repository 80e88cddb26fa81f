import type { TrainConfig } from '../../generated/train-config.ts';
import type { ConfigProblem } from '../../runtime/stage/stage-definition.ts';
import { keptEpochs } from '../../training/state/kept-epoch-name.ts';
import { declareStage } from '../declare-stage.ts';
import { scheduleProblems } from './schedule-problems.ts';

export const trainStage = declareStage<TrainConfig>({
  name: 'train',
  version: 4,
  ports: ({ keep, early_stop }) => ({
    inputs: {
      model: { accepts: ['model'], required: true, parts: 'one' },
      train: { accepts: ['batches'], required: true, parts: 'one' },
      validation: {
        accepts: ['batches'],
        required: keep === 'best' || early_stop !== undefined,
        parts: 'one',
      },
    },
    outputs: { model: { type: 'model' }, history: { type: 'history' } },
  }),
  check: ({ schedule, lora, trainable }) => [
    ...scheduleProblems(schedule),
    ...(lora !== undefined && trainable !== undefined ? [loraAlone] : []),
  ],
  horizon: { fields: horizonOf, describe: remainingEpochs },
  process: 'child',
  device: 'accelerator',
  load: () => import('./run-train.ts'),
});

const loraAlone: ConfigProblem = {
  pointer: '/trainable',
  code: 'lora-alone',
  message: '`lora` trains its adapters alone, so `trainable` means nothing beside it',
  help: 'leave one of them out; `lora.targets` says which projections get an adapter',
};

/** How long a training is going to be changes none of its steps, unless the schedule looks ahead. */
function horizonOf({ schedule }: TrainConfig): readonly string[] {
  return schedule.name === 'constant' && schedule.warmup_share === undefined ? ['epochs'] : [];
}

function remainingEpochs({ epochs }: TrainConfig, kept: readonly string[]): string | undefined {
  const before = Math.max(0, ...keptEpochs(kept).map(({ epoch }) => (epoch <= epochs ? epoch : 0)));
  if (before === 0) return undefined;
  if (before === epochs) return `takes up the ${counted(epochs)} that ${epochs === 1 ? 'is' : 'are'} kept`;
  return `trains ${epochs - before} more ${epochs - before === 1 ? 'epoch' : 'epochs'} after ${before} kept`;
}

const counted = (epochs: number): string => (epochs === 1 ? 'epoch' : `${epochs} epochs`);
