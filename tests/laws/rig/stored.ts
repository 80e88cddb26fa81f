import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Reads a store without any code of the product. */

/** Paths from a folder of all files below it; none where there is no such folder. */
export const filesBelow = (folder: string): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
        .sort()
    : [];

/** The keys that have records. */
export const keysIn = (store: string): ReadonlySet<string> =>
  new Set(filesBelow(join(store, 'actions')).map((path) => basename(path, '.json')));

interface StoredRun {
  readonly outcome: string;
  readonly stages: Readonly<
    Record<string, { readonly decision: string; readonly key: string; readonly outputs: unknown }>
  >;
}

export function lastRunIn(store: string): StoredRun {
  const name = filesBelow(join(store, 'runs')).at(-1) ?? '';
  // As the command wrote it.
  return JSON.parse(readFileSync(join(store, 'runs', name), 'utf8')) as StoredRun;
}

/** What a finished stage measured of itself. */
export function measuredIn(store: string, key: string): Readonly<Record<string, unknown>> {
  const text = readFileSync(join(store, 'actions', key.slice(0, 2), `${key}.json`), 'utf8');
  return Object(JSON.parse(text).measurements);
}

const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** How many cached answers are whole. */
export const answersIn = (store: string): number =>
  filesBelow(join(store, 'memo'))
    .flatMap((path) => readFileSync(join(store, 'memo', path), 'utf8').split('\n'))
    .filter((line) => line !== '' && sha256(line.slice(33)).slice(0, 32) === line.slice(0, 32)).length;

/** The steps at which whole states of a training are kept: of an attempt, or an epoch's end. */
export function stepsIn(store: string, stepsAnEpoch: number): readonly number[] {
  return ['state', 'checkpoints'].flatMap((folder) =>
    filesBelow(join(store, folder)).flatMap((path) => {
      const [, kind, number, digest] =
        /(step|epoch)-(\d+)\.(?:[0-9a-f]{16}\.)?([0-9a-f]{64})\.safetensors$/.exec(path) ?? [];
      if (kind === undefined || sha256(readFileSync(join(store, folder, path))) !== digest) return [];
      return [Number(number) * (kind === 'epoch' ? stepsAnEpoch : 1)];
    }),
  );
}
