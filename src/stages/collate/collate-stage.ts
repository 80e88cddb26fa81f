import type { CollateConfig } from '../../generated/collate-config.ts';
import { dataStage, declareStage } from '../declare-stage.ts';

/** Turns token ids into training examples. */
export const collateStage = declareStage<CollateConfig>({
  name: 'collate',
  version: 2,
  ports: () => ({
    inputs: { tokens: { accepts: ['tokens'], required: true, parts: 'each' } },
    outputs: { batches: { type: 'batches' } },
  }),
  check: ({ packing, train_on }) =>
    packing === true && train_on !== 'all'
      ? [
          {
            pointer: '/packing',
            code: 'packing-needs-all',
            message: `packing joins records, so training on \`${train_on}\` alone is not possible`,
            help: 'set `train_on: all`, `packing: examples` or `packing: false`',
          },
        ]
      : [],
  recordsPort: 'tokens',
  ...dataStage,
  load: () => import('./run-collate.ts'),
});
