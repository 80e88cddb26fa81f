import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '../../core/index.ts';
import { byRun, type LiveFigures, type LiveRun } from '../live-figures.ts';
import type { TrackedExperiment } from '../tracked-experiment.ts';
import { encodeEvent, type TensorboardEvent } from './event-file.ts';

/**
 * Writes an experiment's figures, samples and hyperparameters into `<folder>/<pipeline>/<run>`, for a sweep with a folder
 * for each point below it, and returns that folder. Written again, it has the same bytes; it replaces what was written
 * while the run went on.
 */
export async function writeTensorboard(folder: string, experiment: TrackedExperiment): Promise<string> {
  const target = folderOf(folder, experiment);
  await mkdir(target, { recursive: true });
  const name = `${PREFIX}${Math.floor(experiment.ended / 1000)}${WHOLE}`;
  const temporary = join(target, `.${randomUUID()}`);
  try {
    await using file = await open(temporary, 'wx');
    for (const event of eventsOf(experiment)) await file.write(encodeEvent(event));
    await file.sync();
    await rename(temporary, join(target, name));
  } finally {
    await rm(temporary, { force: true });
  }
  for (const other of await readdir(target))
    if (other.endsWith(LIVE)) await rm(join(target, other), { force: true });
  return target;
}

// TensorBoard reads the files of a folder in the order of their names: the whole one comes after the live one.
const PREFIX = 'events.out.tfevents.';
const LIVE = '.tuneloom.live';
const WHOLE = '.tuneloom.whole';

const folderOf = (
  folder: string,
  { pipeline, run, point }: Pick<TrackedExperiment, 'pipeline' | 'run' | 'point'>,
): string => join(folder, ...[pipeline, run, ...(point === undefined ? [] : [point])].map(folderName));

/** Names of pipelines and points may hold anything; a folder's name holds letters, digits and a few marks. */
const folderName = (name: string): string =>
  name.replaceAll(/[^\p{L}\p{N}_.,=+@-]/gu, '_').replace(/^\.+/, '_');

function eventsOf(experiment: TrackedExperiment): readonly TensorboardEvent[] {
  const { started: time, ended, state, params, hyperparameters, measurements, samples } = experiment;
  const values = Object.fromEntries(
    hyperparameters.flatMap((name) => {
      const value = params[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
  return [
    { kind: 'version', time },
    { kind: 'restart', step: 0, time },
    ...(hyperparameters.length === 0
      ? []
      : [{ kind: 'hyperparameters', values, group: groupOf(values), time } as const]),
    ...measurements.map(
      ({ name, step, value, time }) => ({ kind: 'scalar', tag: name, step, value, time }) as const,
    ),
    ...samples.map(
      ({ name, step, prompt, response, time }) =>
        ({ kind: 'text', tag: name, step, text: `${quoted(prompt)}\n\n${quoted(response)}`, time }) as const,
    ),
    ...(hyperparameters.length === 0
      ? []
      : [{ kind: 'end', succeeded: state === 'succeeded', time: ended } as const]),
  ];
}

/** TensorBoard shows text as Markdown, and what a model wrote is to be seen as it is. */
const quoted = (text: string): string =>
  text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');

/** Runs with the same hyperparameters are one group. */
const groupOf = (values: TrackedExperiment['params']): string =>
  createHash('sha256').update(canonicalJson(values)).digest('hex');

/** Writes figures while a run goes on, into a file that `writeTensorboard` replaces. */
export class LiveTensorboard implements LiveRun {
  readonly #folder: string;
  readonly #files = new Map<string, Promise<Awaited<ReturnType<typeof open>>>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async write(figures: readonly LiveFigures[]): Promise<void> {
    for (const [run, own] of byRun(figures)) {
      const file = await this.#fileOf(run);
      const records = own.flatMap(({ figures, step, time }) =>
        Object.entries(figures).map(([tag, value]) =>
          encodeEvent({ kind: 'scalar', tag, step, value, time }),
        ),
      );
      await file.write(Buffer.concat(records));
    }
  }

  async end(experiments: readonly TrackedExperiment[]): Promise<void> {
    for (const file of this.#files.values()) await (await file).close();
    this.#files.clear();
    for (const experiment of experiments) await writeTensorboard(this.#folder, experiment);
  }

  /** A disk answers, or fails by itself. */
  stop(): void {}

  #fileOf(run: LiveFigures['run']) {
    const target = folderOf(this.#folder, run);
    const known = this.#files.get(target) ?? this.#open(target);
    this.#files.set(target, known);
    return known;
  }

  async #open(target: string) {
    await mkdir(target, { recursive: true });
    const time = Date.now();
    const file = await open(join(target, `${PREFIX}${Math.floor(time / 1000)}${LIVE}`), 'a');
    await file.write(encodeEvent({ kind: 'version', time }));
    return file;
  }
}
