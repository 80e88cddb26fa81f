import type { LoadConfig } from '../../generated/load-config.ts';
import type { ConfigProblem, OutputPort } from '../../runtime/index.ts';
import { dataStage, declareStage } from '../declare-stage.ts';
import { endpointName, schemeOf } from './model-address.ts';

const model: OutputPort = { type: 'model' };
const tokenizer: OutputPort = { type: 'tokenizer' };

/** Brings rows of data, or a model with its tokenizer, into the pipeline. */
export const loadStage = declareStage<LoadConfig>({
  name: 'load',
  version: 3,
  ports: (config) => ({ inputs: {}, outputs: outputsOf(config) }),
  check: (config) => [
    ...checkKind(config),
    ...checkUntying(config),
    ...checkAddresses(config),
    ...checkInit(config),
  ],
  ...dataStage,
  load: () => import('./run-load.ts'),
  inspect: async ({ config, pointer, path }) => {
    if (pointer === '/model') await (await import('./load-model.ts')).inspectModel(path);
    if (pointer === '/records' && config.as === 'lm_eval')
      await (await import('../../benchmarks/index.ts')).openTasks({
        path,
        tasks: config.tasks,
        shots: config.num_fewshot,
      });
  },
  locate: async (search) => (await import('./read-records.ts')).locateRecords(search),
});

function outputsOf(config: LoadConfig): Readonly<Record<string, OutputPort>> {
  if (config.model === undefined && config.init === undefined) return { records: { type: 'records' } };
  return endpointName(config.model) === undefined ? { model, tokenizer } : { model };
}

const kinds = ['records', 'model', 'init'] as const;
const forRowsOnly = ['columns', 'quotes', 'field', 'id'] as const;
const forTasksOnly = ['data', 'num_fewshot'] as const;
const forBenchmarksOnly = ['split', 'tasks', ...forTasksOnly] as const;
const forRecordsOnly = [...forRowsOnly, 'fields', 'limit', ...forBenchmarksOnly] as const;

function checkKind(config: LoadConfig): readonly ConfigProblem[] {
  const given = kinds.filter((kind) => config[kind] !== undefined);
  const [first, second] = given;
  const help =
    'a `load` stage takes one of `records` (rows of data), `model` and `init` (a model with random weights)';
  if (first === undefined)
    return [{ pointer: '', code: 'nothing-to-load', message: 'there is nothing to load', help }];
  if (second !== undefined) {
    const message = `\`${first}\` and \`${second}\` cannot be loaded by one stage`;
    return [{ pointer: `/${second}`, code: 'two-things-to-load', message, help }];
  }
  if (first === 'records') return checkLayout(config);
  return forRecordsOnly
    .filter((field) => config[field] !== undefined)
    .map((field) => ({
      pointer: `/${field}`,
      code: 'unheeded-field',
      message: `\`${field}\` means nothing where a model is loaded`,
    }));
}

function checkLayout(config: LoadConfig): readonly ConfigProblem[] {
  const { as: layout } = config;
  const unheeded =
    layout === undefined
      ? forBenchmarksOnly
      : layout === 'lm_eval'
        ? ([...forRowsOnly, 'split', 'fields'] as const)
        : [...forRowsOnly, ...forTasksOnly];
  return unheeded
    .filter((field) => config[field] !== undefined)
    .map((field) => ({
      pointer: `/${field}`,
      code: 'unheeded-field',
      message:
        layout === undefined
          ? `\`${field}\` means nothing without \`as\`, the layout of a benchmark`
          : `\`${field}\` means nothing where \`as: ${layout}\` says how the rows are written`,
    }));
}

function checkUntying({ untie_head: untieHead, model, init }: LoadConfig): readonly ConfigProblem[] {
  if (!untieHead || (model !== undefined && endpointName(model) === undefined)) return [];
  const help = init === undefined ? undefined : 'with `init` write `tied: false` there';
  const message = '`untie_head` means something only where a model folder is loaded';
  return [{ pointer: '/untie_head', code: 'unheeded-field', message, ...(help && { help }) }];
}

function checkAddresses({ records, data = {}, model, init }: LoadConfig): readonly ConfigProblem[] {
  const splits = typeof data === 'string' ? [] : Object.entries(data);
  const places: readonly (readonly [string, string | undefined])[] = [
    ['/records', records],
    ...(typeof data === 'string' ? [['/data', data] as const] : []),
    ...splits.map(([split, source]) => [`/data/${split}`, source] as const),
    ['/model', model],
    ['/init/tokenizer', init?.tokenizer],
  ];
  return places.flatMap(([pointer, source]) => (source === undefined ? [] : checkAddress(pointer, source)));
}

function checkAddress(pointer: string, source: string): readonly ConfigProblem[] {
  const scheme = schemeOf(source);
  if (scheme === undefined) return [];
  if (pointer === '/model' && scheme === 'openai') {
    if (source.length > 'openai:'.length) return [];
    return [
      {
        pointer,
        code: 'bad-address',
        message: '`openai:` names no model',
        help: 'write openai:<name>',
      },
    ];
  }
  if (scheme === 'hf') return checkRepository(pointer, source);
  if (scheme === 'https' || scheme === 'http') return [];
  const message = `\`${scheme}:\` addresses cannot be loaded`;
  const help = 'a source is a path, hf:owner/name, hf:datasets/owner/name or an https: address';
  return [{ pointer, code: 'unknown-scheme', message, help }];
}

/** Addresses of models and of datasets differ, as on the hub. */
function checkRepository(pointer: string, source: string): readonly ConfigProblem[] {
  const isDataset = /^hf:datasets\//i.test(source);
  const name = source.replace(/^hf:(datasets\/)?/i, '');
  if (pointer === '/model' && isDataset)
    return [
      {
        pointer,
        code: 'dataset-for-model',
        message: `\`${source}\` is a dataset, not a model`,
        help: `a model is hf:${name}`,
      },
    ];
  if (pointer === '/model' || isDataset || name.includes(':')) return [];
  const help =
    pointer === '/records' || pointer.startsWith('/data')
      ? `a dataset is hf:datasets/${name}; in a model's repository name the file, as in ${source}:rows.jsonl`
      : `name the file, as in ${source}:tokenizer.json`;
  return [{ pointer, code: 'no-file-named', message: `\`${source}\` is a whole model`, help }];
}

function checkInit({ init }: LoadConfig): readonly ConfigProblem[] {
  if (init === undefined) return [];
  const { width, heads, encoding, tokenizer } = init;
  const uneven =
    width % heads === 0
      ? []
      : [
          {
            pointer: '/init/heads',
            code: 'uneven-heads',
            message: `a width of ${width} cannot be divided evenly among ${heads} heads`,
          },
        ];
  if ((encoding === undefined) !== (tokenizer === undefined)) return uneven;
  const message =
    encoding === undefined ? 'the model has no tokenizer' : '`encoding` and `tokenizer` exclude each other';
  const help = 'give `encoding` (such as r50k_base) or `tokenizer` (the path of a tokenizer.json)';
  return [...uneven, { pointer: '/init', code: 'one-tokenizer', message, help }];
}
