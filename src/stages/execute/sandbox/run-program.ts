import { randomUUID } from 'node:crypto';
import { execa } from 'execa';
import { pythonHarness } from './python-harness.ts';
import { type Sandbox, sandboxEnvironment } from './sandbox.ts';

/** `passed`, `timed out`, or `failed: ` and why. */
export type Outcome = string;

/** Runs one program to its end, or to the end of its time; nothing that it started is left. */
export async function runProgram(
  { command, timeoutMilliseconds }: Sandbox,
  { source, signal }: { readonly source: string; readonly signal: AbortSignal },
): Promise<Outcome> {
  const [program, ...args] = command;
  const word = randomUUID();
  const result = await execa(program, [...args, '-I', '-c', pythonHarness, word], {
    input: source,
    env: sandboxEnvironment,
    extendEnv: false,
    reject: false,
    timeout: timeoutMilliseconds,
    killSignal: 'SIGKILL',
    cancelSignal: signal,
    maxBuffer: 10_000,
  });
  signal.throwIfAborted();
  if (result.timedOut) return 'timed out';
  if (result.stdout.startsWith(word)) return result.stdout.slice(word.length);
  return 'failed: it ended without finishing';
}
