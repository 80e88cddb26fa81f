import { diagnosticsToJson } from '../../runtime/diagnostic/diagnostics-to-json.ts';
import { renderDiagnostics } from '../../runtime/diagnostic/render-diagnostics.ts';
import type { Diagnostic } from '../../runtime/index.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Prints the user's mistakes, all of them at once. */
export function printMistakes(
  diagnostics: readonly Diagnostic[],
  { terminal, json }: { terminal: Terminal; json: boolean | undefined },
): void {
  const { bold, red, cyan, dim } = terminal.colors;
  const palette = { place: bold, error: red, frame: dim, help: cyan };
  if (json) terminal.print(JSON.stringify({ errors: diagnosticsToJson(diagnostics) }));
  else terminal.complain(renderDiagnostics(diagnostics, palette).trimEnd());
}
