import { fileURLToPath } from 'node:url';
import { runProgram } from './program.ts';
import { openTerminal } from './terminal/terminal.ts';

const EX_SOFTWARE = 70;
const ENDED_BY_SIGPIPE = 128 + 13;
const LAST_MILLISECONDS = 5000;

/** Runs the whole command, from its arguments to its exit code. */
export async function start({ stageProcess }: { readonly stageProcess: URL }): Promise<void> {
  const terminal = openTerminal(process);
  // A reader that closes the pipe early, such as `head`, is not an error.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(ENDED_BY_SIGPIPE);
      // The terminal was closed, which SIGHUP tells too.
      if (error.code === 'EIO') return;
      throw error;
    });
  for (const name of Object.keys(process.env).filter((name) => /^RETUNE_\w+$/.test(name)))
    terminal.complain(
      `warning: ${name} is no longer read; it is called ${name.replace('RETUNE', 'TUNELOOM')} now`,
    );
  try {
    process.exitCode = await runProgram(process.argv.slice(2), {
      terminal,
      workingDirectory: process.cwd(),
      environment: process.env,
      input: process.stdin,
      stageProcess: fileURLToPath(stageProcess),
    });
  } catch (error) {
    const trace = error instanceof Error ? error.stack : String(error);
    terminal.complain(`this is an internal error in tuneloom; please report it:\n${trace}`);
    process.exitCode = EX_SOFTWARE;
    // Whatever the error left running, the command ends.
    setTimeout(() => process.exit(), LAST_MILLISECONDS).unref();
  }
}
