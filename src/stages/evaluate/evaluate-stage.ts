import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import { declareStage } from '../declare-stage.ts';

export const evaluateStage = declareStage<EvaluateConfig>({
  name: 'evaluate',
  version: 1,
  ports: () => ({
    inputs: {
      responses: { accepts: ['responses'], required: true, parts: 'one' },
      references: { accepts: ['records'], required: false, parts: 'one' },
    },
    outputs: { scores: { type: 'scores' } },
  }),
  recordsPort: 'responses',
  process: 'inline',
  device: 'none',
  load: () => import('./run-evaluate.ts'),
});
