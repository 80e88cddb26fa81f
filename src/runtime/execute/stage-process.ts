import { copyFile, type FileHandle, open, rm, truncate } from 'node:fs/promises';
import { hideSecretsIn, secretsIn } from '../stage/hide-secrets.ts';
import type { Failure } from '../stage/run-event.ts';
import type { StageReport } from '../stage/stage-definition.ts';
import type { Store } from '../store/store.ts';
import { temporaryPath } from '../store/temporary.ts';
import { type FinalMessage, isStageMessage, type ParentMessage, type StageMessage } from './stage-message.ts';

interface ProcessOptions {
  /** The variables that its stage asks for by name. They may be secrets, so such a process serves one action only. */
  readonly environment: readonly string[];
  /** In bytes. */
  readonly memory: number | undefined;
  /** Set for a process that serves one action only: the file that takes its output. */
  readonly logPath?: string;
  readonly nodeOptions?: readonly string[];
}

/** The stage processes of a run. A process of a `shared` stage that has finished its action is reused. */
export class StageProcesses implements Disposable {
  readonly #store: Store;
  readonly #program: string;
  /** By their memory. */
  readonly #free = new Map<number | undefined, StageProcess[]>();
  #closed = false;

  /** `program`: the JavaScript file that calls serveStageProcess. */
  constructor({ store, program }: { readonly store: Store; readonly program: string }) {
    this.#store = store;
    this.#program = program;
  }

  async take(options: ProcessOptions): Promise<StageProcess> {
    const free = servesOnce(options) ? [] : (this.#free.get(options.memory) ?? []);
    for (let next = free.pop(); next !== undefined; next = free.pop())
      if (await next.renew()) return next;
      else await next.destroy();
    const logPath = options.logPath ?? (await temporaryPath(this.#store.root));
    return StageProcess.start({ options, program: this.#program, logPath });
  }

  /** For a process that has just finished an action. */
  async release(process: StageProcess): Promise<void> {
    if (this.#closed || servesOnce(process.options)) return process.destroy();
    const free = this.#free.get(process.options.memory) ?? [];
    this.#free.set(process.options.memory, free);
    free.push(process);
  }

  /** Destroys the free processes now, and the others when they are released. A log that is left is swept later. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const process of [...this.#free.values()].flat()) process.destroy().catch(() => {});
    this.#free.clear();
  }
}

/** How long a process may take to exit once it has ended its action. */
const exitMilliseconds = 3000;

const servesOnce = ({ environment, logPath }: ProcessOptions): boolean =>
  environment.length > 0 || logPath !== undefined;

type Child = Awaited<ReturnType<typeof startChild>>['child'];

/** How a process ended, in execa's terms. */
type ProcessEnd = Pick<Awaited<Child>, 'signal' | 'exitCode' | 'shortMessage'>;

/** A process that runs one action after another. */
class StageProcess {
  readonly options: ProcessOptions;
  /** Holds what the process has printed during its present action. */
  readonly #logPath: string;
  readonly #child: Child;
  #onReport: (report: StageReport) => void = () => {};
  #onFinal: (message: FinalMessage) => void = () => {};

  private constructor(started: { options: ProcessOptions; logPath: string; child: Child }) {
    this.options = started.options;
    this.#logPath = started.logPath;
    this.#child = started.child;
  }

  static async start(request: {
    readonly options: ProcessOptions;
    readonly program: string;
    readonly logPath: string;
  }): Promise<StageProcess> {
    // The process has its own descriptor; this one is closed once it has started.
    await using log = await open(request.logPath, 'a');
    const { child } = await startChild({ ...request, log });
    const started = new StageProcess({ ...request, child });
    const secrets = secretsIn(request.options.environment.flatMap((name) => process.env[name] ?? []));
    child.on('message', (sent) => {
      const message = hideSecretsIn(sent, secrets);
      if (isStageMessage(message)) started.#receive(message);
    });
    return started;
  }

  /** Prepares a free process for its next action; false if the process is gone. */
  async renew(): Promise<boolean> {
    // The file is open for appending, so the next line is its first.
    await truncate(this.#logPath).catch(() => {});
    return this.#child.connected;
  }

  /** Runs one action; no other may be running. */
  async run(actionFile: string, onReport: (report: StageReport) => void): Promise<FinalMessage> {
    const final = new Promise<FinalMessage>((resolve) => {
      this.#onReport = onReport;
      this.#onFinal = resolve;
    });
    this.#send({ type: 'act', actionFile });
    const end = await Promise.race([final, this.#child]);
    if ('type' in end) return end;
    return { type: 'failed', failure: await failureOfDeath(end, this.#logPath) };
  }

  /** Asks it to stop its action. */
  readonly stop = (): void => this.#send({ type: 'stop' });

  readonly kill = (): void => void this.#child.kill('SIGKILL');

  /** Waits until the process is gone: without a parent it exits, unless it is busy. `keepLogAt` is where its log stays. */
  async destroy({ keepLogAt }: { readonly keepLogAt?: string } = {}): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(this.kill, exitMilliseconds);
    await this.#child;
    clearTimeout(timer);
    if (this.options.logPath !== undefined) return;
    // On a full disk the stage's own failure is the one to report.
    if (keepLogAt !== undefined) await copyFile(this.#logPath, keepLogAt).catch(() => {});
    await rm(this.#logPath, { force: true });
  }

  #receive(message: StageMessage): void {
    if (message.type === 'report') this.#onReport(message.report);
    else this.#onFinal(message);
  }

  // A process that is gone receives nothing: `run` waits for its end.
  #send(message: ParentMessage): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }
}

/** In an object, since the process itself is a promise of its end. */
async function startChild(start: {
  readonly options: ProcessOptions;
  readonly program: string;
  readonly logPath: string;
  readonly log: FileHandle;
}) {
  const { options, program, logPath, log } = start;
  const { execaNode } = await import('execa');
  // execa accepts any descriptor; its types list only the first few. Without pipes, no grandchild can delay the end.
  const output = log.fd as 3;
  // The process does not read the path, which shows users which store and attempt it works for.
  const child = execaNode(program, [logPath], {
    ipc: true,
    env: childEnvironment(process.env, options.environment),
    extendEnv: false,
    buffer: false,
    reject: false,
    nodeOptions: [...heapLimit(options.memory), ...(options.nodeOptions ?? [])],
    stdin: 'ignore',
    stdout: output,
    stderr: output,
  });
  return { child };
}

/** Bounds JavaScript's own heap, in MiB; typed arrays live outside it. */
const heapLimit = (memory: number | undefined): readonly string[] =>
  memory === undefined ? [] : [`--max-old-space-size=${Math.max(16, Math.floor(memory / 2 ** 20))}`];

/** What Node, the system's libraries, proxies and compute libraries read. */
const names = new Set([
  ...['PATH', 'HOME', 'USERPROFILE', 'SYSTEMROOT', 'TMPDIR', 'TMP', 'TEMP', 'LANG', 'TZ'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
]);
const prefixes = /^(?:LC|NODE|LD|DYLD|OMP|KMP|MKL|OPENBLAS|ORT|TF|XLA|CUDA|NVIDIA|NCCL|HIP|HSA|ROCR)_/;

/**
 * The environment of a stage process: what every program needs, and the variables that the stage asks for by name. Tokens
 * and passwords of other programs stay out, so that no library, core dump or report of the process has them.
 */
export const childEnvironment = (
  outside: NodeJS.ProcessEnv,
  requested: readonly string[] = [],
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(outside).filter(
      (variable): variable is [string, string] =>
        variable[1] !== undefined && (isNeeded(variable[0].toUpperCase()) || requested.includes(variable[0])),
    ),
  );

const isNeeded = (name: string): boolean => names.has(name) || prefixes.test(name);

/** Why a process ended without a final message. */
async function failureOfDeath(end: ProcessEnd, logPath: string): Promise<Failure> {
  // A long run's log may have been swept.
  const tail = await lastLines(logPath).catch(() => '');
  const { signal, exitCode, shortMessage = '' } = end;
  if (tail.includes('JavaScript heap out of memory'))
    return {
      kind: 'killed',
      signal: signal ?? 'SIGABRT',
      message: 'the JavaScript heap ran out of memory',
    };
  if (signal === 'SIGKILL') {
    const message = 'the system ended the process, most often because memory ran out';
    return { kind: 'killed', signal, message };
  }
  if (signal !== undefined) return { kind: 'killed', signal, message: tail };
  // Without an exit code, the process could not be started: only execa knows why.
  return {
    kind: 'exited',
    exitCode: exitCode ?? -1,
    message: tail || (exitCode === undefined ? shortMessage : ''),
  };
}

/** Reads no more than the end: a log can be longer than a string. */
async function lastLines(path: string): Promise<string> {
  await using file = await open(path);
  const { size } = await file.stat();
  const end = Buffer.alloc(Math.min(size, 2 ** 16));
  await file.read(end, 0, end.length, size - end.length);
  return end.toString().trimEnd().split('\n').slice(-20).join('\n');
}
