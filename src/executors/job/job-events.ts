import { closeSync, openSync, writeSync } from 'node:fs';
import { isObject } from '../../core/index.ts';
import { type Fingerprint, parseStageMessage, type StageMessage } from '../../runtime/index.ts';

/** A line of a job's file of events: what a stage process says, and what the job says of itself. */
export type JobEvent =
  | Exclude<StageMessage, { type: 'begun' }>
  /** A job that its scheduler starts again begins several times. */
  | { readonly type: 'began'; readonly host: string; readonly machine: Fingerprint }
  /** It was asked to stop, and has kept its state. `time`: shortly before its time limit. */
  | { readonly type: 'stopped'; readonly because: 'signal' | 'time' };

/** Appends events to a file, a line for each. */
export class JobEvents implements Disposable {
  readonly #descriptor: number;

  constructor(path: string) {
    this.#descriptor = openSync(path, 'a');
  }

  /** In one write, so that a reader finds whole lines or the beginning of one. */
  readonly write = (event: JobEvent): void => {
    const line = Buffer.from(`${JSON.stringify(event)}\n`);
    for (let at = 0; at < line.length; ) at += writeSync(this.#descriptor, line, at);
  };

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}

/** Collects the pieces of a file of events and gives the events of its whole lines. */
export class JobEventReader {
  #rest = Buffer.alloc(0);

  read(piece: Uint8Array): readonly JobEvent[] {
    const bytes = Buffer.concat([this.#rest, piece]);
    const end = bytes.lastIndexOf('\n') + 1;
    this.#rest = bytes.subarray(end);
    if (this.#rest.length > longestLine) this.#rest = Buffer.alloc(0);
    const lines = bytes.toString('utf8', 0, end).split('\n');
    return lines.flatMap((line) => (line === '' ? [] : (parseJobEvent(line) ?? [])));
  }
}

const longestLine = 8 << 20;

/** Undefined for a line that is none, such as one that a crash has torn. */
function parseJobEvent(line: string): JobEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  if (value.type === 'stopped')
    return { type: 'stopped', because: value.because === 'time' ? 'time' : 'signal' };
  if (value.type === 'began') {
    const { host, machine } = value;
    return {
      type: 'began',
      host: typeof host === 'string' ? host.slice(0, 255) : '',
      machine: machineOf(machine),
    };
  }
  const message = parseStageMessage(value);
  return message?.type === 'begun' ? undefined : message;
}

/** Texts from another machine, which its record keeps. */
function machineOf(value: unknown): Fingerprint {
  const fields = isObject(value) ? value : {};
  const text = (name: string): string => {
    const found = fields[name];
    return typeof found === 'string' ? found.slice(0, 100) : 'unknown';
  };
  return { node: text('node'), platform: text('platform'), arch: text('arch') };
}
