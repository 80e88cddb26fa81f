import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { isObject, UserError } from '../core/index.ts';

export interface RunRequest {
  /** Absolute path of the pipeline. */
  readonly file: string;
  /** Param -> its value as it is typed after `-p name=`. */
  readonly params: Readonly<Record<string, string>>;
  /** Stages to run; none for the whole pipeline. */
  readonly stages: readonly string[];
}

/** Starts runs as the command line does, each in its own process, and stops those that it started when the server ends. */
export class StartedRuns {
  readonly #program: string;
  readonly #store: string;
  readonly #folder: string;
  readonly #running = new Set<ChildProcess>();

  /** `program`: the absolute path of the built command. */
  constructor({
    program,
    store,
    folder,
  }: { readonly program: string; readonly store: string; readonly folder: string }) {
    this.#program = program;
    this.#store = store;
    this.#folder = folder;
  }

  /** Returns the run's id once it has begun. Throws a UserError if the pipeline has mistakes. */
  async start({ file, params, stages }: RunRequest): Promise<string> {
    // A value that begins with a dash stays a value.
    const overrides = Object.entries(params).map(([name, value]) => `--param=${name}=${value}`);
    const words = ['run', ...overrides, `--store=${this.#store}`, '--json', '--', file, ...stages];
    const child = spawn(process.execPath, [this.#program, ...words], {
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C in the terminal reaches the server alone, which then stops its runs in order.
      detached: true,
    });
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints = (complaints + text).slice(-4000);
    });
    return await new Promise<string>((resolve, reject) => {
      const lines = createInterface({ input: child.stdout });
      lines.on('line', (line) => {
        const event = parsed(line);
        if (event?.type === 'run-started' && typeof event.run === 'string') resolve(event.run);
        else if (Array.isArray(event?.errors)) reject(refused(event.errors));
      });
      child.once('error', reject);
      child.once('close', () =>
        reject(new UserError({ code: 'not-started', message: complaints.trim() || 'the run did not start' })),
      );
    });
  }

  /** The number of runs that this server started and that are still going. */
  get count(): number {
    return this.#running.size;
  }

  /** Asks all to stop, as Ctrl-C does, and waits for them. They keep what they need to resume. */
  async stop(): Promise<void> {
    await Promise.all(
      [...this.#running].map(
        (child) =>
          new Promise<void>((resolve) => {
            child.once('close', () => resolve());
            child.kill('SIGINT');
          }),
      ),
    );
  }
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const refused = (errors: readonly unknown[]): UserError => {
  const texts = errors.flatMap((error) => {
    if (!isObject(error) || typeof error.message !== 'string') return [];
    return [typeof error.help === 'string' ? `${error.message} (${error.help})` : error.message];
  });
  return new UserError({ code: 'bad-pipeline', message: texts.join('\n') });
};
