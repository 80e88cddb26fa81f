import { UserError } from '../../core/index.ts';
import type { ExecuteConfig } from '../../generated/execute-config.ts';
import type { ConfigProblem } from '../../runtime/index.ts';
import { parseJinja } from '../../text/index.ts';
import { declareStage } from '../declare-stage.ts';

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
  check: checkProgram,
  recordsPort: 'responses',
  process: 'child',
  device: 'none',
  load: () => import('./run-execute.ts'),
});

/** A program template that does not parse. */
function checkProgram({ program }: ExecuteConfig): readonly ConfigProblem[] {
  try {
    parseJinja(program);
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message, help } = error;
    return [{ pointer: '/program', code, message, ...(help === undefined ? {} : { help }) }];
  }
}
