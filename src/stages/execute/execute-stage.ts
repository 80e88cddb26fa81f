import { UserError } from '../../core/index.ts';
import type { ExecuteConfig } from '../../generated/execute-config.ts';
import { namesIn, parseJinja } from '../../text/index.ts';
import { declareStage, problemsIn } from '../declare-stage.ts';

/** Runs answers that are programs, each in a sandbox, and records whether it passed its tests. */
export const executeStage = declareStage<ExecuteConfig>({
  name: 'execute',
  version: 2,
  ports: () => ({
    inputs: {
      responses: { accepts: ['responses', 'records'], required: true, parts: 'one' },
      problems: { accepts: ['records'], required: false, parts: 'one' },
    },
    outputs: { responses: { type: 'responses' } },
  }),
  check: ({ program, tests }) => [
    ...problemsIn('/program', () => checkProgram(program)),
    ...problemsIn('/tests', () => parseJinja(tests)),
  ],
  recordsPort: 'responses',
  process: 'child',
  device: 'none',
  load: () => import('./run-execute.ts'),
});

/** A program could change the result of tests in its own process. */
function checkProgram(source: string): void {
  const names = namesIn(source);
  const field = ['test', 'tests', 'test_list'].find((name) => names.has(name));
  if (field !== undefined)
    throw new UserError({
      code: 'tests-in-program',
      message: `the program holds its own tests, \`${field}\``,
      help: `write them in the field \`tests\`, which runs in another process: \`from program import *\` and {{ ${field} }}`,
    });
}
