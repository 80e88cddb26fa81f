import type { FileHandle } from 'node:fs/promises';
import { hideSecretsIn, secretsIn } from '../stage/hide-secrets.ts';
import { childEnvironment } from './child-environment.ts';
import { isStageMessage, type StageMessage } from './stage-message.ts';

export interface StageProcessStart {
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
