import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const sourceRoot = join(root, 'src');

/** Layer -> the layers that it may import from, types included. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: [],
  formats: ['core'],
  runtime: ['core'],
  remote: ['runtime', 'core'],
  tensor: ['core'],
  text: ['formats', 'core'],
  model: ['text', 'tensor', 'formats', 'core'],
  training: ['model', 'text', 'tensor', 'formats', 'core'],
  metrics: ['text', 'core'],
  benchmarks: ['metrics', 'text', 'formats', 'core'],
  stages: ['training', 'benchmarks', 'metrics', 'model', 'text', 'tensor', 'runtime', 'formats', 'core'],
  cli: [
    ...['stages', 'remote', 'training', 'benchmarks', 'metrics', 'model', 'text', 'tensor', 'runtime'],
    ...['formats', 'core'],
  ],
  generated: ['runtime', 'core'],
};

/** Room in src/runtime -> the rooms that it may import from: a pipeline's way from file to result. */
const allowedInRuntime: Readonly<Record<string, readonly string[]>> = {
  diagnostic: [],
  yaml: ['diagnostic'],
  stage: [],
  config: ['yaml', 'diagnostic', 'stage'],
  graph: ['config', 'yaml', 'diagnostic', 'stage'],
  module: ['diagnostic', 'yaml'],
  key: ['graph', 'config', 'yaml', 'stage', 'store'],
  store: ['key', 'diagnostic', 'yaml', 'stage'],
  collect: ['store', 'key'],
  plan: ['key', 'graph', 'store', 'stage', 'diagnostic', 'yaml', 'module'],
  execute: ['plan', 'key', 'graph', 'store', 'stage', 'diagnostic', 'yaml', 'module'],
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
  yaml: ['src/runtime', 'src/cli', 'src/benchmarks'],
  execa: ['src/runtime/execute', 'src/stages/execute', 'src/stages/shell', 'src/cli/setup'],
  yauzl: ['src/cli/setup'],
  esbuild: ['src/runtime/module'],
  openai: ['src/stages/generate/endpoint'],
  koffi: ['src/tensor/onnx/native'],
  '@huggingface/hub': ['src/remote/hub'],
  hyparquet: ['src/formats'],
  'hyparquet-compressors': ['src/formats'],
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
