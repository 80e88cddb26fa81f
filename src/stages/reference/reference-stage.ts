import type { ReferenceConfig } from '../../generated/reference-config.ts';
import { declareStage } from '../declare-stage.ts';
import { precisionProblems } from '../models/precision-problems.ts';

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
  check: ({ precision }, resources) => precisionProblems(precision, resources),
  recordsPort: 'batches',
  process: 'child',
  device: 'accelerator',
  load: () => import('./run-reference.ts'),
});
