import { elementCount } from '../../formats/index.ts';
import { parameterLayout, parseModelConfig } from '../model-config.ts';
import type { ModelFolder, ModelToWrite } from './model-folder.ts';

interface NewRows {
  /** The rows of the embedding from now on. */
  readonly rows: number;
  /** The ids of new tokens; some may have a row already, which no token had. */
  readonly ids: readonly number[];
}

/**
 * The same model with more rows in its embedding and head. New rows, and those of new tokens, start as the mean of all that
 * the model had, so that a new token is as likely as an average one (Hewitt 2021, "Initializing new word embeddings"); for the
 * head's bias too. The other values are unchanged.
 */
export function resizedModel(
  { path, config, read }: ModelToWrite & Pick<ModelFolder, 'path'>,
  { rows, ids }: NewRows,
): ModelToWrite {
  const before = config.vocabularySize;
  const resized = parseModelConfig(path, { ...config.json, vocab_size: rows });
  const [former, layout] = [parameterLayout(config), parameterLayout(resized)];
  const perToken = perTokenParameters(path, config);
  return {
    config: { ...resized, notes: config.notes },
    async read(name) {
      const values = await read(name);
      if (!perToken.has(name)) return values;
      const [, ...rest] = former.get(name)?.shape ?? [];
      const width = elementCount(rest);
      const mean = meanRow(values, width);
      const extended = new Float32Array(elementCount(layout.get(name)?.shape ?? []));
      extended.set(values);
      for (const id of ids) extended.set(mean, id * width);
      for (let row = before; row < rows; row++) extended.set(mean, row * width);
      return extended;
    },
  };
}

/** The parameters with a row for each token: the embedding, a head of its own and the head's bias. */
function perTokenParameters(path: string, config: ModelFolder['config']): ReadonlySet<string> {
  const larger = parseModelConfig(path, { ...config.json, vocab_size: config.vocabularySize + 1 });
  const layout = parameterLayout(config);
  const names = [...parameterLayout(larger)].flatMap(([name, { shape }]) =>
    shape.join() === layout.get(name)?.shape.join() ? [] : [name],
  );
  return new Set(names);
}

/** [rows, width] -> [width], summed in double precision. */
function meanRow(values: Float32Array, width: number): Float32Array {
  const sums = new Float64Array(width);
  for (let at = 0; at < values.length; at += width)
    for (let column = 0; column < width; column++)
      sums[column] = (sums[column] ?? 0) + (values[at + column] ?? 0);
  return Float32Array.from(sums, (sum) => sum / (values.length / width));
}
