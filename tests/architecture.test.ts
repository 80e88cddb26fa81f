import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const sourceRoot = join(root, 'src');

/** Layer -> the layers that it may import from, types included. `generated` and `json.ts` are for all. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  cli: ['sources', 'stages', 'training', 'model', 'text', 'tensor', 'runtime'],
  stages: ['training', 'model', 'text', 'tensor', 'runtime'],
  sources: ['runtime'],
  training: ['model', 'text', 'tensor'],
  model: ['text', 'tensor'],
  text: [],
  tensor: [],
  runtime: [],
  generated: ['runtime'],
};

/** Room in src/runtime -> the rooms that it may import from: a pipeline's way from file to result. */
const allowedInRuntime: Readonly<Record<string, readonly string[]>> = {
  source: ['diagnostic'],
  diagnostic: ['source'],
  stage: [],
  event: ['stage'],
  config: ['source', 'diagnostic', 'stage'],
  graph: ['config', 'source', 'diagnostic', 'stage'],
  module: ['diagnostic', 'source'],
  key: ['graph', 'config', 'source', 'stage', 'store'],
  store: ['event', 'key', 'diagnostic', 'source', 'stage'],
  collect: ['store', 'key'],
  plan: ['key', 'graph', 'store', 'stage', 'diagnostic', 'source', 'module'],
  execute: ['plan', 'key', 'graph', 'store', 'stage', 'event', 'diagnostic', 'source', 'module'],
};

const files = readdirSync(sourceRoot, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.split(sep).includes('validators'))
  .map((name) => join(sourceRoot, name))
  .sort();

const importsOf = (file: string): readonly string[] => {
  const text = readFileSync(file, 'utf8');
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '');
  return specifiers;
};

const roomOf = (file: string, base: string): string => {
  const [first = '', ...rest] = relative(base, file).split(sep);
  return rest.length === 0 ? '.' : first;
};

/** Every import from one room below `base` to another that `rules` does not name, as `file -> target`. */
const forbiddenImports = (
  base: string,
  rules: Readonly<Record<string, readonly string[]>>,
): readonly string[] =>
  files
    .filter((file) => file.startsWith(base + sep))
    .flatMap((file) =>
      importsOf(file)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => resolve(dirname(file), specifier))
        .filter((target) => target.startsWith(base + sep))
        .filter((target) => {
          const from = roomOf(file, base);
          const to = roomOf(target, base);
          return (
            from !== '.' && to !== '.' && to !== 'generated' && from !== to && !rules[from]?.includes(to)
          );
        })
        .map((target) => `${relative(root, file)} -> ${relative(root, target)}`),
    );

/** The packages that only these files or folders may import. */
const packageHomes: Readonly<Record<string, readonly string[]>> = {
  listr2: ['src/cli'],
  commander: ['src/cli'],
  yaml: ['src/runtime', 'src/cli', 'src/stages/load/benchmarks'],
  execa: ['src/runtime/execute', 'src/stages/execute/sandbox', 'src/stages/shell', 'src/cli/setup'],
  yauzl: ['src/cli/setup'],
  esbuild: ['src/runtime/module'],
  openai: ['src/stages/generate/endpoint'],
  koffi: ['src/tensor/onnx/native'],
  '@huggingface/hub': ['src/sources/hub'],
  hyparquet: ['src/stages/load'],
  'hyparquet-compressors': ['src/stages/load'],
  'onnxruntime-node': ['src/tensor', 'src/cli/doctor'],
  '@tensorflow/tfjs-core': ['src/tensor', 'src/model', 'src/training', 'src/cli/doctor'],
};

describe('the architecture', () => {
  it('layers import downwards only', () => {
    expect(forbiddenImports(sourceRoot, allowed)).toEqual([]);
  });

  it('the rooms of the runtime import towards the source file only', () => {
    expect(forbiddenImports(join(sourceRoot, 'runtime'), allowedInRuntime)).toEqual([]);
  });

  it('a package is imported only where it belongs', () => {
    const strays = files.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => {
          const home = Object.entries(packageHomes).find(
            ([name]) => specifier === name || specifier.startsWith(`${name}/`),
          );
          return home !== undefined && !home[1].some((folder) => relative(root, file).startsWith(folder));
        })
        .map((specifier) => `${relative(root, file)} -> ${specifier}`),
    );
    expect(strays).toEqual([]);
  });

  it('only the command line prints', () => {
    const printing = files
      .filter((file) => !relative(sourceRoot, file).startsWith('cli'))
      .filter((file) => /\bconsole\.|process\.std(out|err)\.write/.test(readFileSync(file, 'utf8')))
      .map((file) => relative(root, file));
    expect(printing).toEqual([]);
  });

  it('no source file is longer than 250 lines', () => {
    const long = files
      .filter((file) => !file.includes(`${sep}generated${sep}`))
      .map((file) => ({
        file: relative(root, file),
        lines: readFileSync(file, 'utf8').split('\n').length - 1,
      }))
      .filter(({ lines }) => lines > 250);
    expect(long).toEqual([]);
  });
});
