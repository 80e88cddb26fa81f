import { setTimeout as sleep } from 'node:timers/promises';
import { execa, type ResultPromise } from 'execa';
import { isObject, UserError } from '../../core/index.ts';
import { afterGreeting, type Frame, readFrames, writeFrame } from './frames.ts';

export interface ConnectionOptions {
  /** As ssh takes it. */
  readonly host: string;
  /** The command that starts tuneloom there, and the store that it is to use. */
  readonly program: string;
  readonly store: string;
  readonly sshOptions: readonly string[];
  /** The version that it must have. */
  readonly version: string;
  /** How long a lost connection is tried again, in milliseconds. */
  readonly patienceMs: number;
}

/** An answer of the worker. */
export interface Answer {
  readonly value: unknown;
  readonly bytes: Uint8Array;
}

type Ssh = ResultPromise<{ stdin: 'pipe'; stdout: 'pipe'; buffer: false; reject: false }>;

/** One ssh connection, with the calls that wait for their answers. */
interface Session {
  readonly ssh: Ssh;
  readonly send: (frame: Frame) => Promise<void>;
  /** Why it has ended. */
  lost?: ConnectionLost;
  readonly open: Map<
    number,
    { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }
  >;
}

/** The connection has ended before the answer came. */
class ConnectionLost extends Error {}

/**
 * Calls a worker on another machine through the system's ssh, over one connection for everything. A connection that is lost
 * is opened again, and the calls that had no answer are made again: every call can be repeated.
 */
export class WorkerConnection {
  readonly #options: ConnectionOptions;
  readonly #listeners = new Set<(message: string) => void>();
  #session: Promise<Session> | undefined;
  #hadOne = false;
  #calls = 0;
  #closed = false;
  #isLeaving = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get host(): string {
    return this.#options.host;
  }

  /** Whether a worker has ever answered. */
  get wasOpen(): boolean {
    return this.#hadOne;
  }

  /** Calls `listener` when the connection is lost and when it is back, until the result is called. */
  onChange(listener: (message: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Throws a UserError that the worker answers with, or that says why it cannot be reached. */
  async call(
    method: string,
    params: Readonly<Record<string, unknown>>,
    bytes: Uint8Array = new Uint8Array(),
  ): Promise<Answer> {
    let lostAt: number | undefined;
    for (let wait = 500; ; wait = Math.min(2 * wait, 10_000)) {
      this.#session ??= this.#connect();
      const opening = this.#session;
      try {
        const session = await opening;
        if (lostAt !== undefined) this.#tell(`the connection to ${this.host} is back`);
        lostAt = undefined;
        return await this.#ask(session, { method, params, bytes });
      } catch (error) {
        // Another call may have opened the next one.
        if (this.#session === opening && !(error instanceof UserError && this.#hadOne))
          this.#session = undefined;
        if (!(error instanceof ConnectionLost)) throw error;
        lostAt ??= performance.now();
        const isOver = performance.now() - lostAt > this.#options.patienceMs;
        if (!this.#hadOne || this.#closed || this.#isLeaving || isOver)
          throw unreachable(this.host, error.message);
        this.#tell(`the connection to ${this.host} is lost; it is tried again: ${error.message}`);
        await sleep(wait);
      }
    }
  }

  /** From now on a lost connection is not tried again: the run is being interrupted. */
  leave(): void {
    this.#isLeaving = true;
  }

  /** Jobs that run there go on. */
  async close(): Promise<void> {
    this.#closed = true;
    const session = await this.#session?.catch(() => undefined);
    if (session === undefined) return;
    session.ssh.stdin.end();
    const timer = setTimeout(() => session.ssh.kill('SIGTERM'), 2000);
    await session.ssh;
    clearTimeout(timer);
  }

  #tell(message: string): void {
    for (const listener of this.#listeners) listener(message);
  }

  async #ask(
    session: Session,
    {
      method,
      params,
      bytes,
    }: { method: string; params: Readonly<Record<string, unknown>>; bytes: Uint8Array },
  ): Promise<Answer> {
    if (session.lost !== undefined) throw session.lost;
    const id = ++this.#calls;
    const answer = new Promise<Answer>((resolve, reject) => session.open.set(id, { resolve, reject }));
    try {
      await Promise.all([session.send({ head: { id, method, params }, bytes }), answer]);
      return await answer;
    } finally {
      session.open.delete(id);
    }
  }

  async #connect(): Promise<Session> {
    const { host, program, store, sshOptions, version } = this.#options;
    const ssh = execa(
      'ssh',
      [
        ...['-T', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=20'],
        ...['-o', 'ServerAliveInterval=10', '-o', 'ServerAliveCountMax=3'],
        ...sshOptions,
        ...['--', host, `${program} worker --store ${shellQuoted(store)}`],
      ],
      // Ctrl-C is for this process, which then cancels over the connection.
      { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe', buffer: false, reject: false, detached: true },
    ) as Ssh;
    let said = '';
    ssh.stderr?.on('data', (piece: Buffer) => {
      said = (said + piece.toString()).slice(-2000);
    });
    ssh.stdin.on('error', () => {});
    const lost = (why: string): ConnectionLost => new ConnectionLost(said.trim() || why);
    const rest = await afterGreeting(ssh.stdout).catch(() => '');
    if (typeof rest === 'string') {
      ssh.stdin.end();
      const { exitCode, code } = await ssh;
      if (code === 'ENOENT') throw unreachable(host, 'there is no ssh on this machine');
      // 255 is ssh's own; any other is the command's.
      if (exitCode === 255 || exitCode === undefined) throw lost('ssh ended');
      throw notInstalled({ host, program, said: said.trim() || rest.trim() });
    }
    const session: Session = {
      ssh,
      open: new Map(),
      send: (frame) => writeFrame(ssh.stdin, frame),
    };
    void this.#receive(session, { rest, lost });
    const { value } = await this.#ask(session, { method: 'hello', params: {}, bytes: new Uint8Array() });
    const theirs = isObject(value) && typeof value.version === 'string' ? value.version : 'unknown';
    if (theirs !== version) {
      ssh.stdin.end();
      throw new UserError({
        code: 'other-version',
        message: `${host} has tuneloom ${theirs.slice(0, 100)}, and this is ${version}`,
        help: `install the same version there, or name it in the executor's \`program\``,
      });
    }
    this.#hadOne = true;
    return session;
  }

  async #receive(
    session: Session,
    {
      rest,
      lost,
    }: { readonly rest: AsyncIterable<Uint8Array>; readonly lost: (why: string) => ConnectionLost },
  ): Promise<void> {
    let why = 'it was closed';
    try {
      for await (const { head, bytes } of readFrames(rest)) {
        const waiting = typeof head.id === 'number' ? session.open.get(head.id) : undefined;
        if (isObject(head.error)) waiting?.reject(errorOf(head.error));
        else waiting?.resolve({ value: head.value, bytes });
      }
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
    session.ssh.kill('SIGTERM');
    await session.ssh;
    session.lost = lost(why);
    for (const { reject } of session.open.values()) reject(session.lost);
  }
}

/** A mistake that the worker found, or an internal error there. */
function errorOf({ code, message, help }: Readonly<Record<string, unknown>>): Error {
  const text = typeof message === 'string' ? message.slice(0, 20_000) : 'it failed without a reason';
  if (typeof code !== 'string') return new Error(text);
  return new UserError({ code, message: text, ...(typeof help === 'string' && { help }) });
}

const unreachable = (host: string, why: string): UserError =>
  new UserError({
    code: 'host-unreachable',
    message: `${host} cannot be reached: ${why}`,
    help: `\`ssh ${host} true\` must work without a question; jobs that run there go on, and the next run takes them up`,
  });

const notInstalled = ({ host, program, said }: { host: string; program: string; said: string }): UserError =>
  new UserError({
    code: 'not-installed',
    message: `${host} does not start \`${program} worker\`: ${said || 'it printed nothing'}`,
    help: 'install tuneloom there, and set `program` of the executor to its path',
  });

const shellQuoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
