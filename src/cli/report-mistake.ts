import { UserError } from '../core/index.ts';
import { storageFailureOf } from '../runtime/index.ts';
import type { CommandContext } from './commands/command-declaration.ts';
import type { JsonOption } from './commands/options.ts';
import { type ExitCode, exitCode, SettingsMistakes, UsageError } from './exit-code.ts';
import { errorText, safeLine } from './terminal/safe-text.ts';
import { forPrograms } from './terminal/terminal.ts';

/** Prints an error that its user can fix; any other is an internal error and is thrown again. */
export async function reportMistake(
  error: unknown,
  { options, context }: { options: JsonOption; context: CommandContext },
): Promise<ExitCode> {
  if (error instanceof SettingsMistakes) {
    const { reportMistakes } = await import('./open-pipeline.ts');
    return reportMistakes(error.diagnostics, { terminal: context.terminal, json: options.json });
  }
  const mistake = error instanceof UsageError || error instanceof UserError ? error : storageProblem(error);
  if (mistake === undefined) throw error;
  const { message, help } = mistake;
  if (options.json)
    forPrograms(context.terminal).print(
      JSON.stringify({ errors: [{ code: 'bad-usage', message, ...(help ? { help } : {}) }] }),
    );
  else context.terminal.complain(errorText(mistake));
  return exitCode.badUsage;
}

/** A full or read-only disk, or a forbidden folder. */
function storageProblem(error: unknown): UsageError | undefined {
  const failure = storageFailureOf(error);
  if (failure === undefined) return undefined;
  const { path, message } = failure;
  return new UsageError({ message: safeLine(path === '' ? message : `${path}: ${message}`) });
}
