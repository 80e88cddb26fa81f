import { execa } from 'execa';
import { hasFields, isText, orAbsent, UserError } from '../../core/index.ts';
import { bubblewrapCommand, type Command, descriptors, isRoot, type SandboxLimits } from './bubblewrap.ts';
import { harness } from './harness.ts';
import { findInterpreter, plainEnvironment, programNamed } from './interpreter.ts';
import { systemCallFilter } from './system-call-filter.ts';
import { watchUsage } from './usage.ts';

/** How programs are started: in their own namespaces and within limits. */
interface Sandbox {
  readonly command: Command;
  readonly limits: SandboxLimits;
  /** For example `3.11.2`. */
  readonly pythonVersion: string;
}

interface SandboxOptions extends SandboxLimits {
  /** An absolute path, or a name in the system's folders. */
  readonly python: string;
}

/** A sandbox that has run a program. Throws a UserError if there is none, as nothing runs outside of one. */
export async function openSandbox({ python, ...limits }: SandboxOptions): Promise<Sandbox> {
  for (const tool of ['bwrap', 'prlimit', ...(isRoot() ? ['setpriv'] : [])])
    if (programNamed(tool) === undefined) throw noSandbox(`${tool} is not installed`);
  const { path, files } = await findInterpreter(python);
  const command = bubblewrapCommand([path, '-s', '-c', harness], { files }, limits);
  const patient = { ...limits, timeoutSeconds: 30 };
  const { verdict, stderr } = await start({ command, limits: patient, input: { program: '', tests: '' } });
  if (verdict?.outcome === 'passed') return { command, limits, pythonVersion: verdict.python };
  const { exitCode } = await start({
    command: bubblewrapCommand(['true'], { files: [] }, limits),
    limits: patient,
  });
  if (exitCode !== 0) throw noSandbox(lastLine(stderr));
  throw new UserError({
    code: 'no-interpreter',
    message: `the interpreter \`${python}\` does not run in the sandbox: ${verdict?.outcome ?? lastLine(stderr)}`,
    help: 'execute needs Python 3.8 or later with ctypes, in a folder that other users may read',
  });
}

const noSandbox = (reason: string) =>
  new UserError({
    code: 'no-sandbox',
    message: `there is no sandbox to run programs in: ${reason}`,
    help: 'on Linux install bubblewrap (Debian, Ubuntu: `apt install bubblewrap`; Fedora: `dnf install bubblewrap`) and allow user namespaces; answers that are programs never run without it',
  });

const lastLine = (text: string): string => text.trim().split('\n').at(-1) || 'its first program did not end';

interface Program {
  readonly program: string;
  /** Run in another process than the program, which they reach as the module `program`. */
  readonly tests: string;
}

export interface ProgramResult {
  /** `passed`, `timed out`, or `failed: ` and why; absent if the tests do not compile. */
  readonly outcome?: string;
  /** Why the tests do not compile. */
  readonly invalidTests?: string;
}

/** Runs one program and its tests until they end or their time is over; nothing that they started is left. */
export async function runProgram(
  { command, limits }: Sandbox,
  { signal, ...input }: Program & { readonly signal: AbortSignal },
): Promise<ProgramResult> {
  const { verdict, timedOut, exceeded } = await start({ command, limits, input, signal });
  signal.throwIfAborted();
  if (exceeded === 'files') return { outcome: 'failed: it wrote too many files' };
  if (exceeded === 'memory')
    return { outcome: `failed: it used more than ${limits.memoryMegabytes} MB of memory` };
  if (timedOut) return { outcome: 'timed out' };
  const { outcome, invalid_tests: invalidTests } = verdict ?? {};
  if (invalidTests !== undefined) return { invalidTests };
  if (outcome === undefined) return { outcome: 'failed: it ended without finishing' };
  // Addresses differ from run to run.
  return { outcome: outcome.replace(/ at 0x[0-9a-f]{6,}/g, ' at 0x...') };
}

interface Start {
  readonly command: Command;
  readonly limits: SandboxLimits;
  readonly input?: Program;
  readonly signal?: AbortSignal;
}

async function start({ command: [program, ...args], limits, input, signal }: Start) {
  const running = execa(program, args, {
    stdio: ['pipe', 'ignore', 'pipe', 'pipe', 'pipe', systemCallFilter()],
    input: input === undefined ? '' : JSON.stringify(input),
    env: plainEnvironment,
    extendEnv: false,
    reject: false,
    timeout: limits.timeoutSeconds * 1000,
    killSignal: 'SIGKILL',
    ...(signal === undefined ? {} : { cancelSignal: signal }),
    maxBuffer: 10_000,
  });
  const ended = new AbortController();
  let exceeded: Awaited<ReturnType<typeof watchUsage>>;
  running.stdio[descriptors.information]?.once('data', (information: Buffer) => {
    const pid = /"child-pid": (\d+)/.exec(String(information))?.[1];
    const bytes = limits.memoryMegabytes * 1024 * 1024;
    void watchUsage(Number(pid), { bytes, signal: ended.signal }).then((excess) => {
      exceeded = excess;
      if (excess !== undefined) running.kill('SIGKILL');
    });
  });
  const result = await running;
  ended.abort();
  return {
    verdict: readVerdict(result.stdio[descriptors.verdict]),
    stderr: String(result.stderr),
    exitCode: result.exitCode,
    timedOut: result.timedOut,
    exceeded,
  };
}

interface Verdict {
  readonly python: string;
  readonly outcome?: string;
  readonly invalid_tests?: string;
}

const isVerdict = hasFields({ python: isText, outcome: orAbsent(isText), invalid_tests: orAbsent(isText) });

/** Undefined if the tests' process ended before it wrote one. */
function readVerdict(text: unknown): Verdict | undefined {
  try {
    const value = JSON.parse(String(text));
    return isVerdict(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
