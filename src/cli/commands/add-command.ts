import type { Command } from 'commander';
import { storageFailureOf } from '../../runtime/store/system-error.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { safeLine, safeText } from '../terminal/safe-text.ts';
import { UsageError } from '../usage-error.ts';
import type { CommandContext, CommandDeclaration, Example } from './command-declaration.ts';

interface Addition<Options> {
  readonly program: Command;
  readonly declaration: CommandDeclaration<Options>;
  readonly context: CommandContext;
  readonly ended: (code: ExitCode) => void;
}

/** Makes a declared command part of the program; its code is loaded when it is called. */
export function addCommand<Options>({ program, declaration, context, ended }: Addition<Options>): void {
  const { name, usage, summary, mostWords = Number.POSITIVE_INFINITY } = declaration;
  const command = program
    .command(name)
    .description(`${summary}.`)
    .summary(summary)
    .usage(`${usage} [options]`.trimStart())
    .argument('[words...]')
    .addHelpText('after', exampleText(declaration.examples));
  for (const option of declaration.options) command.addOption(option);
  command.action(async (words: readonly string[], options: Options) => {
    if (words.length > mostWords) {
      command.error(`error: unexpected argument '${words[mostWords]}'`);
    }
    const { execute } = await declaration.load();
    try {
      ended(await execute({ words, options, context }));
    } catch (error) {
      const told = error instanceof UsageError ? error : refusedBySystem(error);
      if (told === undefined) throw error;
      complain(told, { context, json: wantsJson(options) });
      ended(exitCode.badUsage);
    }
  });
}

function exampleText(examples: readonly Example[]): string {
  const width = Math.max(...examples.map(({ line }) => line.length));
  const oneLine = examples.every(({ does }) => width + does.length + 4 <= 80);
  const lines = examples.map(({ line, does }) =>
    oneLine ? `  ${line.padEnd(width)}  ${does}` : `  ${line}\n      ${does}`,
  );
  return ['', 'Examples:', ...lines].join('\n');
}

/** A full or read-only disk, a forbidden folder: nothing that tuneloom did wrong. */
function refusedBySystem(error: unknown): UsageError | undefined {
  const failure = storageFailureOf(error);
  if (failure === undefined) return undefined;
  const { path, message } = failure;
  return new UsageError({ message: safeLine(path === '' ? message : `${path}: ${message}`) });
}

function wantsJson(options: unknown): boolean {
  return typeof options === 'object' && options !== null && 'json' in options && options.json === true;
}

function complain(error: UsageError, { context, json }: { context: CommandContext; json: boolean }): void {
  const { message, help } = error;
  if (json)
    context.terminal.print(
      JSON.stringify({ errors: [{ code: 'bad-usage', message, ...(help ? { help } : {}) }] }),
    );
  else context.terminal.complain(safeText(`error: ${message}${help ? `\n  help: ${help}` : ''}`));
}
