import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLargePages } from '../../core/index.ts';
import { hideSecretsIn, secretsIn } from '../stage/hide-secrets.ts';
import type { StageReport } from '../stage/stage-definition.ts';
import { failureOfDeath, type ProcessEnd } from './process-end.ts';
import { StageLog } from './stage-log.ts';
import { type FinalMessage, type ParentMessage, parseStageMessage } from './stage-message.ts';

interface ProcessOptions {
  /** The variables that its stage asks for by name. They may be secrets, so such a process serves one action only. */
  readonly environment: readonly string[];
  /** In bytes. */
  readonly memory: number | undefined;
  readonly servesOnce: boolean;
  readonly nodeOptions?: readonly string[];
}

/** One action for a process to run. */
interface Order {
  readonly actionFile: string;
  /** The file that takes what the process prints. */
  readonly logPath: string;
  readonly onReport: (report: StageReport) => void;
}

/** The stage processes of a run. A process of a `shared` stage that has finished its action is reused. */
export class StageProcesses implements Disposable {
  readonly #program: string;
  /** By their memory. */
  readonly #free = new Map<number | undefined, StageProcess[]>();
  #closed = false;

  /** `program`: the JavaScript file that calls serveStageProcess. */
  constructor({ program }: { readonly program: string }) {
    this.#program = program;
  }

  /**
   * Runs one action; `onStart` is given what stops it. A process that died while it was free is replaced: only one that has
   * begun the action can make it fail.
   */
  async run(
    options: ProcessOptions,
    order: Order & { readonly onStart: (process: StageProcess) => void },
  ): Promise<FinalMessage> {
    for (;;) {
      const process = this.#take(options) ?? new StageProcess(options, { program: this.#program, order });
      const ending = process.run(order);
      order.onStart(process);
      const end = await ending;
      if (end.type === 'finished') await this.#release(process);
      else await process.destroy();
      if (end.type !== 'not-begun') return end;
    }
  }

  #take(options: ProcessOptions): StageProcess | undefined {
    return options.servesOnce ? undefined : this.#free.get(options.memory)?.pop();
  }

  async #release(process: StageProcess): Promise<void> {
    if (this.#closed || process.options.servesOnce) return process.destroy();
    const free = this.#free.get(process.options.memory) ?? [];
    this.#free.set(process.options.memory, free);
    free.push(process);
  }

  /** Destroys the free processes now, and the others when their actions end. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const process of [...this.#free.values()].flat()) process.destroy().catch(() => {});
    this.#free.clear();
  }
}

/** How long a process may take to exit once it has ended its action. */
const exitMilliseconds = 3000;
/** How long its output is read after it has exited: what it has started may keep the pipes open. */
const drainMilliseconds = 300;

/** A process that runs one action after another. */
export class StageProcess {
  readonly options: ProcessOptions;
  readonly #child: ChildProcess;
  readonly #ended: Promise<ProcessEnd>;
  readonly #secrets: readonly string[];
  #served = 0;
  #log: StageLog | undefined;
  #writers: readonly ((piece: Buffer) => void)[] = [];
  #onMessage: (message: NonNullable<ReturnType<typeof parseStageMessage>>) => void = () => {};

  constructor(options: ProcessOptions, start: { readonly program: string; readonly order: Order }) {
    this.options = options;
    this.#secrets = secretsIn(options.environment.flatMap((name) => process.env[name] ?? []));
    // The process does not read the path, which shows users which store and attempt it works for.
    const words = [start.program, start.order.logPath];
    this.#child = spawn(
      process.execPath,
      [...heapLimit(options.memory), ...(options.nodeOptions ?? []), ...words],
      {
        env: withLargePages(childEnvironment(process.env, options.environment)),
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      },
    );
    this.#ended = this.#end();
    for (const [index, stream] of this.#streams().entries())
      stream.on('data', (piece: Buffer) => this.#writers[index]?.(piece)).on('error', () => {});
    this.#child.on('message', (sent) => {
      const message = parseStageMessage(hideSecretsIn(sent, this.#secrets));
      if (message !== undefined) this.#onMessage(message);
    });
  }

  /** Runs one action; no other may be running. */
  async run({
    actionFile,
    logPath,
    onReport,
  }: Order): Promise<FinalMessage | { readonly type: 'not-begun' }> {
    const log = new StageLog({ path: logPath, secrets: this.#secrets });
    this.#log = log;
    this.#writers = this.#streams().map(() => log.writer().write);
    let hasBegun = false;
    const final = new Promise<FinalMessage>((resolve) => {
      this.#onMessage = (message) => {
        hasBegun = true;
        if (message.type === 'report') onReport(message.report);
        else if (message.type !== 'begun') resolve(message);
      };
    });
    this.#send({ type: 'act', actionFile });
    const end = await Promise.race([final, this.#ended]);
    if ('type' in end) {
      this.#served += 1;
      if (end.type === 'finished') this.#closeLog();
      return end;
    }
    if (!hasBegun && this.#served > 0) return { type: 'not-begun' };
    this.#closeLog();
    return { type: 'failed', failure: await failureOfDeath(end, logPath) };
  }

  /** Asks it to stop its action. */
  readonly stop = (): void => this.#send({ type: 'stop' });

  readonly kill = (): void => void this.#child.kill('SIGKILL');

  /** Waits until the process is gone and its log is complete. Without a parent it exits, unless it is busy. */
  async destroy(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(this.kill, exitMilliseconds);
    await this.#ended;
    clearTimeout(timer);
    this.#closeLog();
  }

  /** What it prints from now on, until its next action, is no one's. */
  #closeLog(): void {
    this.#writers = [];
    this.#log?.close();
    this.#log = undefined;
  }

  // A process that is gone receives nothing: `run` waits for its end.
  #send(message: ParentMessage): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #streams(): readonly Readable[] {
    // There are none where the process could not be started.
    return [this.#child.stdout, this.#child.stderr].flatMap((stream) => stream ?? []);
  }

  /** Waits for its exit, and then for the rest of what it has printed. */
  async #end(): Promise<ProcessEnd> {
    const child = this.#child;
    // Not the child's own `close`, which never comes once this side has disconnected.
    const drained = this.#streams().map((stream) => new Promise((resolve) => stream.once('close', resolve)));
    const end = await new Promise<ProcessEnd>((resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
      // Also the error of a message to a process that is gone, which its exit follows.
      child.on(
        'error',
        (error) => child.pid === undefined && resolve({ exitCode: null, signal: null, error }),
      );
    });
    await Promise.race([Promise.all(drained), sleep(drainMilliseconds, undefined, { ref: false })]);
    for (const stream of this.#streams()) stream.destroy();
    return end;
  }
}

/** Bounds JavaScript's own heap, in MiB; typed arrays live outside it. */
const heapLimit = (memory: number | undefined): readonly string[] =>
  memory === undefined ? [] : [`--max-old-space-size=${Math.max(16, Math.floor(memory / 2 ** 20))}`];

/** What Node, the system's libraries, proxies and compute libraries read. */
const names = new Set([
  ...['PATH', 'HOME', 'USERPROFILE', 'SYSTEMROOT', 'TMPDIR', 'TMP', 'TEMP', 'LANG', 'TZ', 'XDG_RUNTIME_DIR'],
  ...['XDG_CACHE_HOME', 'TUNELOOM_TENSORFLOW', 'TUNELOOM_CUDA', 'GLIBC_TUNABLES'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
]);
const prefixes =
  /^(?:LC|NODE|LD|DYLD|OMP|KMP|MKL|OPENBLAS|ORT|TF|XLA|CUDA|NVIDIA|NCCL|HIP|HSA|ROCR|VK|MESA|RADV|ANV|NVK|DRI|GALLIUM|LP|DAWN)_/;

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
