import type { CollateConfig } from '../../generated/collate-config.ts';
import { declareStage } from '../declare-stage.ts';

/** Makes training examples of token ids. */
export const collateStage = declareStage<CollateConfig>({
  name: 'collate',
  version: 1,
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
            message: `packing runs records together, so training on \`${train_on}\` alone is not possible`,
            help: 'set `train_on: all`, `packing: examples` or `packing: false`',
          },
        ]
      : [],
  recordsPort: 'tokens',
  process: 'inline',
  device: 'none',
  load: () => import('./run-collate.ts'),
});
