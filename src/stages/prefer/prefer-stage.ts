import type { PreferConfig } from '../../generated/prefer-config.ts';
import { dataStage, declareStage } from '../declare-stage.ts';

/** Makes preference data of two models' answers and what a judge or people say of them. */
export const preferStage = declareStage<PreferConfig>({
  name: 'prefer',
  version: 1,
  ports: () => ({
    inputs: {
      first: { accepts: ['responses', 'records'], required: true, parts: 'one' },
      second: { accepts: ['responses', 'records'], required: true, parts: 'one' },
      judgments: { accepts: ['responses', 'records'], required: true, parts: 'one' },
    },
    outputs: { records: { type: 'records' } },
  }),
  recordsPort: 'judgments',
  ...dataStage,
  load: () => import('./run-prefer.ts'),
});
