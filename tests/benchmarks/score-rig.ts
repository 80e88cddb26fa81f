import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchmarkScores } from '../../src/benchmarks/benchmark-scores.ts';
import { scorers } from '../../src/benchmarks/benchmarks.ts';

const sharedData = fileURLToPath(new URL('../../../shared/data', import.meta.url));

/** The path of a file of real data; undefined if it is absent. */
export function realData(path: string): string | undefined {
  const found = resolve(sharedData, path);
  return existsSync(found) ? found : undefined;
}

interface Scoring {
  /** A path, or the content of the file. */
  readonly data: string | Content;
  readonly predictions?: string | Content;
  readonly rounds?: number;
}

interface Content {
  readonly name: string;
  readonly content: string | Uint8Array;
}

/** Scores files as the command does, written to a temporary folder if only their content is given. */
export async function score(
  name: string,
  { data, predictions, rounds = 20 }: Scoring,
): Promise<BenchmarkScores> {
  const scorer = scorers.get(name);
  if (scorer === undefined) throw new Error(`there is no benchmark ${name}`);
  const folder = await mkdtemp(join(tmpdir(), 'tuneloom-score-'));
  const place = async (file: string | Content) => {
    if (typeof file === 'string') return { path: file, name: file };
    await writeFile(join(folder, file.name), file.content);
    return { path: join(folder, file.name), name: file.name };
  };
  try {
    const placed = await place(data);
    return await scorer.score({
      data: placed,
      predictions: predictions === undefined ? placed : await place(predictions),
      resampling: { rounds, seed: 0 },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const json = (name: string, value: unknown): Content => ({ name, content: JSON.stringify(value) });

export const jsonLines = (name: string, values: readonly unknown[]): Content => ({
  name,
  content: values.map((value) => `${JSON.stringify(value)}\n`).join(''),
});

export const tsv = (name: string, rows: readonly (readonly (string | number)[])[]): Content => ({
  name,
  content: rows.map((row) => `${row.join('\t')}\n`).join(''),
});

/** The values by the names of their metrics. */
export const valuesOf = ({ metrics }: BenchmarkScores): Readonly<Record<string, number>> =>
  Object.fromEntries(
    metrics.map(({ metric, of, value }) => [of === undefined ? metric : `${metric} ${of}`, value]),
  );
