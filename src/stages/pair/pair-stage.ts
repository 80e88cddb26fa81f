import type { PairConfig } from '../../generated/pair-config.ts';
import { dataStage, declareStage } from '../declare-stage.ts';

/** Pairs two models' answers to the same prompts, for a judge to choose between. */
export const pairStage = declareStage<PairConfig>({
  name: 'pair',
  version: 1,
  ports: () => ({
    inputs: {
      first: { accepts: ['responses', 'records'], required: true, parts: 'one' },
      second: { accepts: ['responses', 'records'], required: true, parts: 'one' },
    },
    outputs: { records: { type: 'records' } },
  }),
  ...dataStage,
  load: () => import('./run-pair.ts'),
});
