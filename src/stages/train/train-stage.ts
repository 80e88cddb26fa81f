import type { TrainConfig } from '../../generated/train-config.ts';
import type { ConfigProblem } from '../../runtime/stage/stage-definition.ts';
import { declareStage } from '../declare-stage.ts';

export const trainStage = declareStage<TrainConfig>({
  name: 'train',
  version: 1,
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
  check: ({ schedule }) => [...scheduleProblems(schedule)],
  process: 'child',
  device: 'accelerator',
  load: () => import('./run-train.ts'),
});

function* scheduleProblems(schedule: TrainConfig['schedule']): Generator<ConfigProblem> {
  if (schedule.warmup_steps !== undefined && schedule.warmup_share !== undefined)
    yield {
      pointer: '/schedule/warmup_share',
      code: 'two-warmups',
      message: '`warmup_share` and `warmup_steps` both say how long the warm-up is',
      help: 'keep one of them',
    };
  if (schedule.name === 'constant' && schedule.final_share !== undefined)
    yield {
      pointer: '/schedule/final_share',
      code: 'unused-field',
      message: '`final_share` means nothing to a constant schedule',
      help: 'choose `name: linear` or `name: cosine`, or leave it out',
    };
}
