import { Command, CommanderError } from 'commander';
import type { CommandContext, CommandDeclaration } from './commands/command-declaration.ts';
import type { JsonOption } from './commands/options.ts';
import { pipelineCommands } from './commands/pipeline-commands.ts';
import { projectCommands } from './commands/project-commands.ts';
import { resultCommands } from './commands/result-commands.ts';
import { sharingCommands } from './commands/sharing-commands.ts';
import { type ExitCode, exitCode } from './exit-code.ts';
import { programVersion } from './program-version.ts';
import { reportMistake } from './report-mistake.ts';
import { forPrograms } from './terminal/terminal.ts';

/** Every command, in the order of `tuneloom --help`. */
const commandGroups = [pipelineCommands, resultCommands, sharingCommands, projectCommands];

const FIRST_STEP = `
Start here:
  npx tuneloom init my-project
  cd my-project
  npm install
  npx tuneloom run`;

/** Parses the arguments, runs the command that they name and returns the exit code of the process. */
export async function runProgram(argv: readonly string[], context: CommandContext): Promise<ExitCode> {
  let code: ExitCode = exitCode.success;
  const program = emptyProgram(context);
  for (const { title, commands } of commandGroups) {
    program.commandsGroup(title);
    for (const declaration of commands) {
      const command = addCommand(program, declaration);
      command.action(async (words: readonly string[], options: JsonOption) => {
        const { mostWords = words.length } = declaration;
        if (words.length > mostWords) command.error(`error: unexpected argument '${words[mostWords]}'`);
        const execute = await declaration.load();
        // Commander has parsed the options that the command declares.
        code = await execute({
          words,
          options: options as never,
          context: {
            ...context,
            commands: commandGroups.flatMap(({ commands }) => commands),
            ...(options.json ? { terminal: forPrograms(context.terminal) } : {}),
          },
        }).catch((error: unknown) => reportMistake(error, { options, context }));
      });
    }
  }
  try {
    await program.parseAsync(argv.length === 0 ? ['--help'] : [...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) return exitCode.badUsage;
  }
  return code;
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

/** Adds a command's help and options to the program. */
function addCommand(
  program: Command,
  { name, usage, summary, options, examples, isHidden = false }: CommandDeclaration,
): Command {
  const command = program
    .command(name, { hidden: isHidden })
    .description(`${summary}.`)
    .summary(summary)
    .usage(`${usage} [options]`.trimStart())
    .argument('[words...]')
    .addHelpText('after', exampleText(examples));
  for (const option of options) command.addOption(option);
  return command;
}

function exampleText(examples: CommandDeclaration['examples']): string {
  const width = Math.max(...examples.map(({ line }) => line.length));
  const oneLine = examples.every(({ does }) => width + does.length + 4 <= 80);
  const lines = examples.map(({ line, does }) =>
    oneLine ? `  ${line.padEnd(width)}  ${does}` : `  ${line}\n      ${does}`,
  );
  return ['', 'Examples:', ...lines].join('\n');
}
