import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Failure } from '../event/failure.ts';
import { err, ok, type Result } from '../result.ts';
import { attemptFiles } from './attempt.ts';
import { childEnvironment } from './child-environment.ts';
import type { StageExecution } from './stage-execution.ts';
import { isStageMessage, type Measurements, type StageMessage, type StopMessage } from './stage-message.ts';
import { stopWhenAsked } from './stop-when-asked.ts';

/** Runs an action in a process of its own, so that its memory goes back to the system and its death is a failure. */
export async function runChild(execution: StageExecution): Promise<Result<Measurements, Failure>> {
  const actionFile = join(execution.folder, attemptFiles.action);
  const logPath = join(execution.folder, attemptFiles.log);
  await writeFile(actionFile, JSON.stringify(execution.action, null, 1));
  const { execaNode } = await import('execa');
  const { definition, action } = execution;
  await using log = await open(logPath, 'a');
  // Any descriptor will do; execa's types list the first few. Without pipes, no grandchild can hold up the end.
  const output = log.fd as 3;
  const child = execaNode(execution.stageProcess, [actionFile], {
    ipc: true,
    env: childEnvironment(process.env, definition.environment?.(action.config)),
    extendEnv: false,
    buffer: false,
    reject: false,
    nodeOptions: [
      ...heapLimit(action.resources.memory),
      ...(action.code === undefined ? [] : ['--enable-source-maps']),
    ],
    stdin: 'ignore',
    stdout: output,
    stderr: output,
  });
  let lastWord: LastWord | undefined;
  child.on('message', (message) => {
    if (!isStageMessage(message)) return;
    if (message.type === 'report') execution.report(message.report);
    else lastWord = message;
  });
  const stop: StopMessage = { type: 'stop' };
  using stopping = stopWhenAsked({
    ...execution,
    // A process that is gone already cannot be told anything, and needs no telling.
    ask: () => child.connected && child.send(stop, () => {}),
    force: () => child.kill('SIGKILL'),
  });
  const end = await child;
  if (lastWord?.type === 'finished') return ok(lastWord.measurements);
  const asked = stopping.cause();
  if (asked !== undefined) return err(asked);
  return err(lastWord?.failure ?? (await deathOf(end, logPath)));
}

type LastWord = Extract<StageMessage, { type: 'finished' | 'failed' }>;

/** Typed arrays live outside of the heap: this bounds what JavaScript itself may take of the memory, in MiB. */
const heapLimit = (memory: number | undefined): readonly string[] =>
  memory === undefined ? [] : [`--max-old-space-size=${Math.max(16, Math.floor(memory / 2 ** 20))}`];

/** What became of a process that ended without a last word. */
async function deathOf(
  end: { signal?: string | undefined; exitCode?: number | undefined; shortMessage?: string | undefined },
  logPath: string,
): Promise<Failure> {
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
