import { listOf } from '../../runtime/diagnostic/wording.ts';
import type { RunResult } from '../../runtime/index.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Says which stages of a run with --locked came to other results than the lock; undefined where none did. */
export function reportUnlike(
  { unlikeLock }: RunResult,
  { terminal, json }: { terminal: Terminal; json: boolean | undefined },
): ExitCode | undefined {
  if (unlikeLock.length === 0) return undefined;
  const message = `other results than the lock names: ${listOf(unlikeLock, 'and')}`;
  const help =
    'the data and the configuration are those of the lock; another processor, backend or command gives other bytes';
  const error = { code: 'differs-from-lock', message, help, stages: unlikeLock };
  if (json) terminal.print(JSON.stringify({ errors: [error] }));
  else terminal.complain(`${terminal.colors.red(`error[${error.code}]`)} ${message}\n  help: ${help}`);
  return exitCode.integrity;
}
