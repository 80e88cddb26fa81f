import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import { declareStage } from '../declare-stage.ts';
import { checkJudgeScore } from './check-judge-score.ts';

export const evaluateStage = declareStage<EvaluateConfig>({
  name: 'evaluate',
  version: 1,
  ports: ({ metrics }) => ({
    inputs: {
      responses: {
        accepts: metrics.includes('arena') ? ['responses', 'records'] : ['responses'],
        required: true,
        parts: 'one',
      },
      references: { accepts: ['records'], required: false, parts: 'one' },
      ratings: { accepts: ['records'], required: false, parts: 'one' },
      second_judge: { accepts: ['responses'], required: false, parts: 'one' },
    },
    outputs: { scores: { type: 'scores' } },
  }),
  check: checkJudgeScore,
  recordsPort: 'responses',
  process: 'inline',
  device: 'none',
  load: () => import('./run-evaluate.ts'),
});
