import { type FileHandle, readFile } from 'node:fs/promises';
import { hideSecretsIn, secretsIn } from '../stage/hide-secrets.ts';
import type { Failure } from '../stage/run-event.ts';
import { isStageMessage, type StageMessage } from './stage-message.ts';

interface StageProcessStart {
  /** The JavaScript file that calls serveStageProcess. */
  readonly program: string;
  readonly args: readonly string[];
  /** What it sees of the environment beside what every program needs, by name. */
  readonly environment: readonly string[];
  /** In bytes. */
  readonly memory: number | undefined;
  readonly nodeOptions?: readonly string[];
  /** Takes what the process prints. */
  readonly log: FileHandle;
  readonly onMessage: (message: StageMessage) => void;
}

export type StageProcess = Awaited<ReturnType<typeof startStageProcess>>['child'];

/** Starts a stage process. In an object, since the process itself is a promise of its end. */
export async function startStageProcess(start: StageProcessStart) {
  const { execaNode } = await import('execa');
  // Any descriptor will do; execa's types list the first few. Without pipes, no grandchild can hold up the end.
  const output = start.log.fd as 3;
  const child = execaNode(start.program, [...start.args], {
    ipc: true,
    env: childEnvironment(process.env, start.environment),
    extendEnv: false,
    buffer: false,
    reject: false,
    nodeOptions: [...heapLimit(start.memory), ...(start.nodeOptions ?? [])],
    stdin: 'ignore',
    stdout: output,
    stderr: output,
  });
  const secrets = secretsIn(start.environment.flatMap((name) => process.env[name] ?? []));
  child.on('message', (said) => {
    const message = hideSecretsIn(said, secrets);
    if (isStageMessage(message)) start.onMessage(message);
  });
  return { child };
}

/** Typed arrays live outside of the heap: this bounds what JavaScript itself may take of the memory, in MiB. */
const heapLimit = (memory: number | undefined): readonly string[] =>
  memory === undefined ? [] : [`--max-old-space-size=${Math.max(16, Math.floor(memory / 2 ** 20))}`];

/** What Node, the system's libraries, proxies and compute libraries look at. */
const names = new Set([
  ...['PATH', 'HOME', 'USERPROFILE', 'SYSTEMROOT', 'TMPDIR', 'TMP', 'TEMP', 'LANG', 'TZ'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
]);
const prefixes = /^(?:LC|NODE|LD|DYLD|OMP|KMP|MKL|OPENBLAS|ORT|TF|XLA|CUDA|NVIDIA|NCCL|HIP|HSA|ROCR)_/;

/**
 * The environment of a stage's process: what programs need in order to run at all, and what the stage asks for by name.
 * Tokens and passwords of other programs stay out, so that no library, core dump or report of the process has them.
 */
export const childEnvironment = (
  outside: NodeJS.ProcessEnv,
  asked: readonly string[] = [],
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(outside).filter(
      (variable): variable is [string, string] =>
        variable[1] !== undefined && (isNeeded(variable[0].toUpperCase()) || asked.includes(variable[0])),
    ),
  );

const isNeeded = (name: string): boolean => names.has(name) || prefixes.test(name);

/** How a process ended, as execa tells it. */
export interface ProcessEnd {
  readonly signal?: string | undefined;
  readonly exitCode?: number | undefined;
  readonly shortMessage?: string | undefined;
}

/** What became of a stage process that ended without a last word. */
export async function deathOfProcess(end: ProcessEnd, logPath: string): Promise<Failure> {
  const tail = await lastLines(logPath);
  if (tail.includes('JavaScript heap out of memory')) {
    return {
      kind: 'killed',
      signal: end.signal ?? 'SIGABRT',
      message: 'the JavaScript heap ran out of memory',
    };
  }
  if (end.signal === 'SIGKILL') {
    const message = 'the system ended the process, most often because memory ran out';
    return { kind: 'killed', signal: end.signal, message };
  }
  if (end.signal !== undefined) return { kind: 'killed', signal: end.signal, message: tail };
  return { kind: 'exited', exitCode: end.exitCode ?? -1, message: tail || (end.shortMessage ?? '') };
}

const lastLines = async (path: string): Promise<string> =>
  (await readFile(path, 'utf8')).trimEnd().split('\n').slice(-20).join('\n');
