import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  circles,
  type Import,
  importersOf,
  imports,
  importsIn,
  root,
  texts,
} from './architecture/imports.ts';

/** Layer -> the layers that it may import from, types included. `generated` holds what is generated from schemas/. */
const layers: Readonly<Record<string, readonly string[]>> = {
  core: [],
  formats: ['core'],
  runtime: ['core', 'generated'],
  remote: ['runtime', 'core'],
  executors: ['runtime', 'core'],
  bundle: ['runtime', 'formats', 'core'],
  tensor: ['core'],
  text: ['formats', 'core'],
  model: ['text', 'tensor', 'formats', 'core'],
  training: ['model', 'text', 'tensor', 'formats', 'core', 'generated'],
  metrics: ['text', 'core', 'generated'],
  benchmarks: ['metrics', 'text', 'formats', 'core', 'generated'],
  judging: ['metrics', 'text', 'runtime', 'formats', 'core'],
  stages: [
    ...['training', 'benchmarks', 'metrics', 'model', 'text', 'tensor', 'runtime', 'formats', 'core'],
    'generated',
  ],
  // What people look at, as data: reads the store and draws nothing.
  view: [
    ...['stages', 'training', 'benchmarks', 'metrics', 'text', 'formats', 'runtime', 'core', 'generated'],
  ],
  // Runs in a browser.
  pages: ['view', 'server', 'core'],
  server: [
    ...['view', 'judging', 'stages', 'training', 'benchmarks', 'metrics', 'text', 'runtime', 'formats'],
    'core',
  ],
  // OpenAI's API for a model, which computes in a process of its own.
  serving: ['server', 'stages', 'model', 'text', 'core'],
  // What other tools are told of runs.
  tracking: ['view', 'stages', 'training', 'runtime', 'formats', 'core'],
  cli: [
    ...[
      'serving',
      'server',
      'judging',
      'tracking',
      'view',
      'stages',
      'bundle',
      'remote',
      'executors',
      'training',
      'benchmarks',
      'metrics',
      'model',
      'text',
      'tensor',
      'runtime',
    ],
    ...['formats', 'core', 'generated'],
  ],
  generated: ['runtime'],
};

/** Folder of the runtime -> the folders that it may import from, in the order in which a pipeline file becomes results. */
const runtimeRooms: Readonly<Record<string, readonly string[]>> = {
  diagnostic: [],
  yaml: ['diagnostic'],
  stage: [],
  config: ['yaml', 'diagnostic', 'stage'],
  graph: ['config', 'yaml', 'diagnostic', 'stage'],
  module: ['key', 'graph', 'diagnostic', 'yaml'],
  key: ['graph', 'config', 'yaml', 'stage'],
  store: ['key', 'stage'],
  settings: ['config', 'yaml', 'diagnostic', 'stage'],
  sharing: ['store', 'key', 'stage'],
  collect: ['store', 'key'],
  plan: ['sharing', 'key', 'graph', 'store', 'stage', 'diagnostic', 'yaml', 'module'],
  execute: ['sharing', 'plan', 'key', 'graph', 'store', 'stage', 'diagnostic', 'yaml', 'module'],
};

/** Folder of the command line -> the folders that it may import from. Every command may use the first four. */
const shared = ['terminal', 'reporter', 'summary', 'commands'];
const commandRooms: Readonly<Record<string, readonly string[]>> = {
  terminal: [],
  reporter: ['terminal'],
  summary: ['reporter', 'terminal'],
  bundle: shared,
  chat: shared,
  completion: shared,
  diff: [...shared, 'runs', 'explain'],
  doctor: [...shared, 'setup'],
  explain: shared,
  export: shared,
  gc: shared,
  graph: shared,
  init: [...shared, 'schema'],
  key: shared,
  open: shared,
  plan: shared,
  pull: [...shared, 'push'],
  push: [...shared, 'runs'],
  remote: shared,
  plot: [...shared, 'runs'],
  rerun: shared,
  report: [...shared, 'runs'],
  review: shared,
  run: [...shared, 'open', 'rerun', 'track'],
  runs: shared,
  schema: shared,
  score: shared,
  serve: [...shared, 'chat'],
  setup: [...shared, 'doctor'],
  show: shared,
  ui: shared,
  track: [...shared, 'runs'],
  update: shared,
  verify: shared,
  worker: shared,
};
/** The table of commands names the folder of each. */
const cliRooms = { ...commandRooms, commands: Object.keys(commandRooms) };

/** Package -> the files or folders that may import it. */
const packageHomes: Readonly<Record<string, readonly string[]>> = {
  '@aws-sdk/client-s3': ['remote/stores'],
  '@huggingface/hub': ['remote/hub', 'remote/stores'],
  '@huggingface/tokenizers': ['text/tokenizer'],
  '@dagrejs/dagre': ['view'],
  '@tensorflow/tfjs-backend-cpu': ['tensor'],
  '@tensorflow/tfjs-core': ['tensor', 'model', 'training', 'cli/doctor'],
  '@hono/node-server': ['server', 'serving'],
  ajv: ['runtime/config'],
  canonicalize: ['core'],
  commander: ['cli'],
  'csv-parse': ['formats', 'judging'],
  'csv-stringify': ['judging', 'cli/runs', 'cli/show'],
  esbuild: ['runtime/module'],
  execa: ['runtime/execute', 'executors', 'stages/execute', 'stages/shell', 'cli/open', 'cli/setup'],
  'fastest-levenshtein': ['core'],
  'gpt-tokenizer': ['text/tokenizer'],
  hono: ['server', 'serving'],
  hyparquet: ['formats'],
  'hyparquet-compressors': ['formats'],
  koffi: ['tensor/onnx/native', 'tensor/onnx/device'],
  listr2: ['cli'],
  'onnxruntime-node': ['tensor'],
  openai: ['stages/generate/endpoint'],
  'p-map': ['stages', 'remote/stores', 'runtime/sharing'],
  picocolors: ['cli/terminal'],
  preact: ['pages'],
  protobufjs: ['formats/tensorflow', 'tensor/onnx', 'tracking/tensorboard'],
  re2js: ['stages/filter'],
  'string-width': ['cli/terminal', 'cli/reporter', 'cli/summary', 'runtime/diagnostic'],
  vega: ['view/plots'],
  'vega-lite': ['view/plots'],
  yaml: ['runtime/yaml', 'benchmarks', 'cli', 'remote/hub'],
  yauzl: ['bundle', 'cli/setup'],
  yazl: ['bundle'],
};

const isHandWritten = (file: string): boolean =>
  !(texts.get(file) ?? '').match(/^\/\/ (Generated|Compiled) from/);
const linesOf = (file: string): number => (texts.get(file) ?? '').split('\n').length - 1;
const say = ({ from, to }: Import): string => `${from} -> ${to}`;

/** The imports between the folders right below `base` that the table does not name. Files beside the folders are free. */
const strays = (base: string, table: Readonly<Record<string, readonly string[]>>): readonly string[] => {
  const roomOf = (file: string): string | undefined =>
    file.startsWith(base) ? /^[^/]+(?=\/)/.exec(file.slice(base.length))?.[0] : undefined;
  const isStray = ({ from, to, kind }: Import): boolean => {
    const [own, other] = [roomOf(from), roomOf(to)];
    return (
      kind === 'file' &&
      !to.startsWith('..') &&
      own !== undefined &&
      other !== undefined &&
      own !== other &&
      !table[own]?.includes(other)
    );
  };
  return imports.filter(isStray).map(say);
};

describe('the architecture', () => {
  it('every form of import is seen', () => {
    const text = `import a from 'one';\nimport type {\n  B,\n  C as D,\n} from 'two';\nimport 'three';
export { type E, F } from 'four';\nexport * from 'five';\nimport * as g from 'six';
type H = typeof import('seven');\nconst i = await import(\n  'eight'\n);\nconst j = "from 'nine'";`;
    expect(importsIn(text)).toEqual([
      { specifier: 'one', names: [], isLazy: false },
      { specifier: 'two', names: ['B', 'C'], isLazy: false },
      { specifier: 'four', names: ['E', 'F'], isLazy: false },
      { specifier: 'five', names: [], isLazy: false },
      { specifier: 'six', names: [], isLazy: false },
      { specifier: 'three', names: [], isLazy: false },
      { specifier: 'seven', names: [], isLazy: true },
      { specifier: 'eight', names: [], isLazy: true },
    ]);
  });

  it('layers import downwards only', () => {
    expect(strays('', layers)).toEqual([]);
  });

  it('a layer is entered through its index only', () => {
    const layerOf = (file: string): string => file.split('/')[0] ?? '';
    const inner = imports.filter(
      ({ from, to }) =>
        texts.has(to) &&
        layerOf(from) !== layerOf(to) &&
        layerOf(to) !== 'generated' &&
        to !== `${layerOf(to)}/index.ts`,
    );
    expect(inner.map(say)).toEqual([]);
  });

  it('no files import each other in a cycle', () => {
    expect(circles()).toEqual([]);
  });

  it("the runtime's folders import only in their order, from YAML to execution", () => {
    expect(strays('runtime/', runtimeRooms)).toEqual([]);
  });

  it('a command imports what commands share, and the few commands that it builds on', () => {
    expect(strays('cli/', cliRooms)).toEqual([]);
  });

  it('a package is imported only where it belongs', () => {
    const homeless = imports.filter(({ from, to, kind }) => {
      if (kind !== 'package') return false;
      const name = to.split('/', to.startsWith('@') ? 2 : 1).join('/');
      return packageHomes[name]?.some((home) => from.startsWith(`${home}/`)) !== true;
    });
    expect(homeless.map(say)).toEqual([]);
  });

  it('a page takes only types from the views, so that no code of the store is sent to a browser', () => {
    const taken = [...texts]
      .filter(([file]) => file.startsWith('pages/'))
      .flatMap(([file, text]) =>
        [...text.matchAll(/^(?:import|export) (?!type\b)[^;]*?from '[^']*\/view\/[^']*'/gm)].map(() => file),
      );
    expect(taken).toEqual([]);
  });

  it('only the command line prints', () => {
    const printing = [...texts].filter(
      ([file, text]) => !file.startsWith('cli/') && /\bconsole\.|process\.std(out|err)\.write/.test(text),
    );
    expect(printing.map(([file]) => file)).toEqual([]);
  });

  it('no file is longer than 250 lines', () => {
    expect([...texts.keys()].filter((file) => isHandWritten(file) && linesOf(file) > 250)).toEqual([]);
  });

  it('a file of fewer than 30 lines has two importers, or is an index, a lazy border, an entry, a benchmark or a metric', () => {
    const entries = ['build', 'build-pages']
      .map((name) => readFileSync(join(root, `scripts/${name}.mjs`), 'utf8'))
      .join();
    const small = [...texts.keys()].filter((file) => isHandWritten(file) && linesOf(file) < 30);
    const isExcused = (file: string): boolean =>
      basename(file) === 'index.ts' ||
      imports.some(({ from, to, isLazy }) => isLazy && (from === file || to === file)) ||
      entries.includes(`'src/${file}'`) ||
      /^(benchmarks|metrics)\/[^/]+$/.test(file);
    expect(small.filter((file) => !isExcused(file) && importersOf(file).size < 2)).toEqual([]);
  });

  it('a file has at least 90 lines on average', () => {
    const lines = [...texts]
      .filter(([file]) => isHandWritten(file))
      .map(([, text]) => text.split('\n').length);
    expect(lines.reduce((sum, count) => sum + count, 0) / lines.length).toBeGreaterThanOrEqual(90);
  });
});
