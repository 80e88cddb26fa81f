import type { ExecuteConfig } from '../../generated/execute-config.ts';
import { declareStage } from '../declare-stage.ts';
import { checkProgram } from './check-program.ts';

/** Runs answers that are programs, each in a sandbox, and keeps whether it passed its tests. */
export const executeStage = declareStage<ExecuteConfig>({
  name: 'execute',
  version: 1,
  ports: () => ({
    inputs: {
      responses: { accepts: ['responses', 'records'], required: true, parts: 'one' },
      problems: { accepts: ['records'], required: false, parts: 'one' },
    },
    outputs: { responses: { type: 'responses' } },
  }),
  check: checkProgram,
  recordsPort: 'responses',
  process: 'child',
  device: 'none',
  load: () => import('./run-execute.ts'),
});
