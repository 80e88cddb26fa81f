import { type FileHandle, open, rm } from 'node:fs/promises';
import type { StageReport } from '../stage/stage-definition.ts';
import { temporaryPath } from '../store/atomic-write.ts';
import type { Store } from '../store/store.ts';
import { serveMany } from './serve-stage-process.ts';
import type { ActMessage, LastWord, StageMessage, StopMessage } from './stage-message.ts';
import { type ProcessEnd, type StageProcess, startStageProcess } from './start-stage-process.ts';

/** What a process is given at its start, once and for all. */
interface ProcessKind {
  /** The variables that its stage asks for by name. They may be secrets, so such a process serves one action only. */
  readonly environment: readonly string[];
  readonly memory: number | undefined;
}

/** Processes that run one action after the other, each started when none of its kind is free. */
export class SharedProcesses implements Disposable {
  readonly #store: Store;
  readonly #program: string;
  /** By their memory. */
  readonly #free = new Map<number | undefined, SharedProcess[]>();
  #closed = false;

  constructor({ store, program }: { readonly store: Store; readonly program: string }) {
    this.#store = store;
    this.#program = program;
  }

  async take(kind: ProcessKind): Promise<SharedProcess> {
    const free = kind.environment.length > 0 ? [] : (this.#free.get(kind.memory) ?? []);
    for (let next = free.pop(); next !== undefined; next = free.pop()) if (next.isAlive) return next;
    const log = await temporaryPath(this.#store.root);
    return SharedProcess.start({ kind, program: this.#program, store: this.#store.root, log });
  }

  /** For a process that has just finished an action. */
  giveBack(shared: SharedProcess): void {
    const { environment, memory } = shared.kind;
    if (this.#closed || environment.length > 0) shared.letGo();
    else this.#free.set(memory, [...(this.#free.get(memory) ?? []), shared]);
  }

  /** Lets go of those that are free now, and of the others when they are given back. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const shared of [...this.#free.values()].flat()) shared.letGo();
    this.#free.clear();
  }
}

/** An action's end: the process's last word about it, or the end of the process. */
type ActionEnd = LastWord | { readonly type: 'died'; readonly how: ProcessEnd };

class SharedProcess {
  readonly kind: ProcessKind;
  /** What the process has printed since its start. */
  readonly logPath: string;
  readonly #child: StageProcess;
  readonly #log: FileHandle;
  #onReport: (report: StageReport) => void = () => {};
  #onWord: (word: LastWord) => void = () => {};

  private constructor(started: { kind: ProcessKind; logPath: string; log: FileHandle; child: StageProcess }) {
    this.kind = started.kind;
    this.logPath = started.logPath;
    this.#log = started.log;
    this.#child = started.child;
  }

  static async start(start: {
    readonly kind: ProcessKind;
    readonly program: string;
    /** Said on the process's command line, for whoever looks at a list of processes. */
    readonly store: string;
    readonly log: string;
  }): Promise<SharedProcess> {
    const { kind, program, store, log: logPath } = start;
    const log = await open(logPath, 'a');
    let shared: SharedProcess | undefined;
    const { child } = await startStageProcess({
      program,
      args: [serveMany, store],
      ...kind,
      log,
      onMessage: (message) => shared?.hear(message),
    });
    shared = new SharedProcess({ kind, logPath, log, child });
    return shared;
  }

  get isAlive(): boolean {
    return this.#child.connected;
  }

  /** Runs one action; there must be none under way. */
  run(actionFile: string, onReport: (report: StageReport) => void): Promise<ActionEnd> {
    const act: ActMessage = { type: 'act', actionFile };
    const spoken = new Promise<ActionEnd>((resolve) => {
      this.#onReport = onReport;
      this.#onWord = resolve;
    });
    this.#send(act);
    return Promise.race([spoken, this.#child.then((how): ActionEnd => ({ type: 'died', how }))]);
  }

  private hear(message: StageMessage): void {
    if (message.type === 'report') this.#onReport(message.report);
    else this.#onWord(message);
  }

  /** Asks it to stop what it does. */
  readonly stop = (): void => this.#send({ type: 'stop' });

  readonly kill = (): void => void this.#child.kill('SIGKILL');

  /** It ends by itself, having nothing to do. */
  letGo(): void {
    if (this.isAlive) this.#child.disconnect();
    // Whatever is left of it goes with the other temporary files.
    void this.#child
      .finally(() => this.#log.close())
      .then(
        () => rm(this.logPath, { force: true }),
        () => {},
      );
  }

  // A process that is gone already cannot be told anything: its end is what is waited for.
  #send(message: ActMessage | StopMessage): void {
    if (this.isAlive) this.#child.send(message, () => {});
  }
}
