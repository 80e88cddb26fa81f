import type { ReferenceConfig } from '../../generated/reference-config.ts';
import { declareStage } from '../declare-stage.ts';

/** Adds the log-probabilities of a reference model to batches of preferences. */
export const referenceStage = declareStage<ReferenceConfig>({
  name: 'reference',
  version: 1,
  ports: () => ({
    inputs: {
      model: { accepts: ['model'], required: true, parts: 'one' },
      batches: { accepts: ['batches'], required: true, parts: 'each' },
    },
    outputs: { batches: { type: 'batches' } },
  }),
  recordsPort: 'batches',
  process: 'child',
  device: 'accelerator',
  load: () => import('./run-reference.ts'),
});
