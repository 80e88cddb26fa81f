import { Command, CommanderError } from 'commander';
import { addCommand } from './commands/add-command.ts';
import { chatCommand } from './commands/chat-command.ts';
import type { CommandContext, CommandDeclaration } from './commands/command-declaration.ts';
import { diffCommand } from './commands/diff-command.ts';
import { doctorCommand } from './commands/doctor-command.ts';
import { explainCommand } from './commands/explain-command.ts';
import { exportCommand } from './commands/export-command.ts';
import { gcCommand } from './commands/gc-command.ts';
import { graphCommand } from './commands/graph-command.ts';
import { initCommand } from './commands/init-command.ts';
import { planCommand } from './commands/plan-command.ts';
import { reviewCommand } from './commands/review-command.ts';
import { runCommand } from './commands/run-command.ts';
import { runsCommand } from './commands/runs-command.ts';
import { schemaCommand } from './commands/schema-command.ts';
import { scoreCommand } from './commands/score-command.ts';
import { setupCommand } from './commands/setup-command.ts';
import { showCommand } from './commands/show-command.ts';
import { updateCommand } from './commands/update-command.ts';
import { verifyCommand } from './commands/verify-command.ts';
import { type ExitCode, exitCode } from './exit-code.ts';
import { programVersion } from './program-version.ts';

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
