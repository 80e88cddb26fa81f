import { execa } from 'execa';
import { UserError } from '../../../user-error.ts';
import { bubblewrapCommand, type SandboxLimits } from './bubblewrap-command.ts';
import { type Sandbox, sandboxEnvironment } from './sandbox.ts';

const help =
  'on Linux install bubblewrap (Debian, Ubuntu: `apt install bubblewrap`; Fedora: `dnf install bubblewrap`) and allow user namespaces; answers that are programs never run without it';

/** A sandbox that was seen to work; throws a UserError where there is none, since nothing runs outside of one. */
export async function openSandbox(limits: SandboxLimits): Promise<Sandbox> {
  const command = bubblewrapCommand(limits);
  const [program, ...args] = command;
  const result = await execa(
    program,
    [...args, '-I', '-c', 'import platform; print(platform.python_version())'],
    {
      env: sandboxEnvironment,
      extendEnv: false,
      reject: false,
      timeout: 30_000,
      killSignal: 'SIGKILL',
      stdin: 'ignore',
    },
  );
  if (result.failed)
    throw new UserError({
      code: 'no-sandbox',
      message: `there is no sandbox to run programs in: ${reasonOf(result)}`,
      help,
    });
  return { command, timeoutMilliseconds: limits.timeoutSeconds * 1000, pythonVersion: result.stdout.trim() };
}

interface Failed {
  readonly code?: string | undefined;
  readonly stderr: string;
  readonly command: string;
}

function reasonOf({ code, stderr, command }: Failed): string {
  if (code === 'ENOENT') return `${command.split(' ')[0]} is not installed`;
  return stderr.trim().split('\n').at(-1) || 'its first program did not end';
}
