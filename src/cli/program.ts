import { Command, CommanderError } from 'commander';
import { isObject } from '../core/index.ts';
import { storageFailureOf } from '../runtime/index.ts';
import type { CommandContext, CommandDeclaration, Example } from './commands/command-declaration.ts';
import {
  explainCommand,
  graphCommand,
  initCommand,
  planCommand,
  runCommand,
  updateCommand,
} from './commands/experiment-commands.ts';
import {
  doctorCommand,
  gcCommand,
  schemaCommand,
  setupCommand,
  verifyCommand,
} from './commands/machine-commands.ts';
import {
  chatCommand,
  diffCommand,
  exportCommand,
  reviewCommand,
  runsCommand,
  scoreCommand,
  showCommand,
} from './commands/result-commands.ts';
import { type ExitCode, exitCode, UsageError } from './exit-code.ts';
import { programVersion } from './program-version.ts';
import { safeLine, safeText } from './terminal/safe-text.ts';

const FIRST_STEP = `
Start here:
  tuneloom init my-project
  cd my-project
  tuneloom run`;

/** Parses the arguments, runs the command that they name and says how the process is to end. */
export async function runProgram(argv: readonly string[], context: CommandContext): Promise<ExitCode> {
  let code: ExitCode = exitCode.success;
  const program = buildProgram(context, (value) => {
    code = value;
  });
  try {
    await program.parseAsync(argv.length === 0 ? ['--help'] : [...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) return exitCode.badUsage;
  }
  return code;
}

function buildProgram(context: CommandContext, ended: (code: ExitCode) => void): Command {
  const program = emptyProgram(context);
  const add = <Options>(declaration: CommandDeclaration<Options>) =>
    addCommand({ program, declaration, context, ended });
  program.commandsGroup('Run a pipeline:');
  add(runCommand);
  add(planCommand);
  add(explainCommand);
  add(updateCommand);
  program.commandsGroup('Look at it and at its results:');
  add(showCommand);
  add(reviewCommand);
  add(runsCommand);
  add(diffCommand);
  add(graphCommand);
  add(chatCommand);
  add(scoreCommand);
  add(exportCommand);
  program.commandsGroup('Start and check:');
  add(initCommand);
  add(schemaCommand);
  add(verifyCommand);
  add(gcCommand);
  add(doctorCommand);
  add(setupCommand);
  return program;
}

function emptyProgram({ terminal }: CommandContext): Command {
  const helpWidth = Math.min(terminal.columns, 80);
  return new Command('tuneloom')
    .description('Instruction fine-tuning as a cached pipeline: edit the YAML, rerun only what changed.')
    .usage('<command> [options]')
    .version(programVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .addHelpText('after', FIRST_STEP)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.complain(text.trimEnd()),
      getOutHelpWidth: () => helpWidth,
      getErrHelpWidth: () => helpWidth,
    })
    .configureHelp({ subcommandTerm: (command) => command.name() });
}

interface Addition<Options> {
  readonly program: Command;
  readonly declaration: CommandDeclaration<Options>;
  readonly context: CommandContext;
  readonly ended: (code: ExitCode) => void;
}

/** Makes a declared command part of the program; its code is loaded when it is called. */
function addCommand<Options>({ program, declaration, context, ended }: Addition<Options>): void {
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
  return isObject(options) && options.json === true;
}

function complain(error: UsageError, { context, json }: { context: CommandContext; json: boolean }): void {
  const { message, help } = error;
  if (json)
    context.terminal.print(
      JSON.stringify({ errors: [{ code: 'bad-usage', message, ...(help ? { help } : {}) }] }),
    );
  else context.terminal.complain(safeText(`error: ${message}${help ? `\n  help: ${help}` : ''}`));
}
