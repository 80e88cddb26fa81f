import { diagnosticsToJson } from '../../runtime/diagnostic/diagnostics-to-json.ts';
import { renderDiagnostics } from '../../runtime/diagnostic/render-diagnostics.ts';
import type { Diagnostic } from '../../runtime/index.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Codes of diagnostics that say that something is not what was recorded. */
const INTEGRITY: ReadonlySet<string> = new Set(['damaged-lock', 'differs-from-lock']);

/** Prints the user's mistakes, all of them at once, and says how the process is to end. */
export function reportMistakes(
  diagnostics: readonly Diagnostic[],
  { terminal, json }: { terminal: Terminal; json: boolean | undefined },
): ExitCode {
  const { bold, red, cyan, dim } = terminal.colors;
  const palette = { place: bold, error: red, frame: dim, help: cyan };
  if (json) terminal.print(JSON.stringify({ errors: diagnosticsToJson(diagnostics) }));
  else terminal.complain(renderDiagnostics(diagnostics, palette).trimEnd());
  return diagnostics.some(({ code }) => INTEGRITY.has(code)) ? exitCode.integrity : exitCode.badUsage;
}
