import type { ExecuteConfig } from '../../generated/execute-config.ts';
import { parseJinja } from '../../text/index.ts';
import { declareStage, problemsIn } from '../declare-stage.ts';

/** Runs answers that are programs, each in a sandbox, and records whether it passed its tests. */
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
  check: ({ program }) => problemsIn('/program', () => parseJinja(program)),
  recordsPort: 'responses',
  process: 'child',
  device: 'none',
  load: () => import('./run-execute.ts'),
});
