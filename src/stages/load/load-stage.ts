import type { LoadConfig } from '../../generated/load-config.ts';
import type { ConfigProblem, OutputPort } from '../../runtime/index.ts';
import { dataStage, declareStage } from '../declare-stage.ts';
import { checkRecords, forRecordsOnly } from './check-records.ts';
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
    ...checkSeed(config),
    ...checkUntying(config),
    ...checkQuantized(config),
    ...checkTokens(config),
    ...checkAddresses(config),
    ...checkInit(config),
  ],
  ...dataStage,
  load: () => import('./run-load.ts'),
  inspect: async ({ config, pointer, path }) => {
    if (pointer === '/model') await (await import('./load-model.ts')).inspectModel(path, config);
    if (pointer === '/records' && config.as === 'lm_eval')
      await (await import('../../benchmarks/index.ts')).openTasks({
        path,
        tasks: config.tasks,
        shots: config.num_fewshot,
      });
    if (/^\/adapters?\b/.test(pointer)) await (await import('./load-adapter.ts')).inspectAdapter(path);
  },
  locate: async (search) => (await import('./read-records.ts')).locateRecords(search),
});

function outputsOf(config: LoadConfig): Readonly<Record<string, OutputPort>> {
  const { adapters } = config;
  if (config.adapter !== undefined) return { adapter: { type: 'adapter' } };
  if (adapters !== undefined) return { adapters: { type: 'adapter', parts: Object.keys(adapters) } };
  if (config.model === undefined && config.init === undefined) return { records: { type: 'records' } };
  return endpointName(config.model) === undefined ? { model, tokenizer } : { model };
}

const kinds = ['records', 'model', 'init', 'adapter', 'adapters'] as const;

function checkKind(config: LoadConfig): readonly ConfigProblem[] {
  const given = kinds.filter((kind) => config[kind] !== undefined);
  const [first, second] = given;
  const help =
    'a `load` stage takes one of `records` (rows of data), `model`, `init` (a model with random weights), `adapter` and `adapters`';
  if (first === undefined)
    return [{ pointer: '', code: 'nothing-to-load', message: 'there is nothing to load', help }];
  if (second !== undefined) {
    const message = `\`${first}\` and \`${second}\` cannot be loaded by one stage`;
    return [{ pointer: `/${second}`, code: 'two-things-to-load', message, help }];
  }
  if (first === 'records') return checkRecords(config);
  return forRecordsOnly
    .filter((field) => config[field] !== undefined)
    .map((field) => ({
      pointer: `/${field}`,
      code: 'unheeded-field',
      message: `\`${field}\` means nothing where ${first.startsWith('adapter') ? 'an adapter' : 'a model'} is loaded`,
    }));
}

function checkSeed({ seed, records }: LoadConfig): readonly ConfigProblem[] {
  if (!seed || (records !== undefined && typeof records !== 'string')) return [];
  const message = '`seed` draws rows of several sources, and there is no list of them';
  const help = 'leave it out; the seed of random weights is `init: { seed: ... }`';
  return [{ pointer: '/seed', code: 'unheeded-field', message, help }];
}

function checkUntying({ untie_head: untieHead, model, init }: LoadConfig): readonly ConfigProblem[] {
  if (!untieHead || (model !== undefined && endpointName(model) === undefined)) return [];
  const help = init === undefined ? undefined : 'with `init` write `tied: false` there';
  const message = '`untie_head` means something only where a model folder is loaded';
  return [{ pointer: '/untie_head', code: 'unheeded-field', message, ...(help && { help }) }];
}

/** A file that stays as it is has no place for changes of the model. */
function checkQuantized(config: LoadConfig): readonly ConfigProblem[] {
  const { keep_quantized: keeps, model } = config;
  if (!keeps) return [];
  if (model === undefined || endpointName(model) !== undefined)
    return [
      {
        pointer: '/keep_quantized',
        code: 'unheeded-field',
        message: '`keep_quantized` means something only where a GGUF file is loaded as `model`',
      },
    ];
  const changes = ['untie_head', ...ofVocabulary] as const;
  return changes
    .filter((field) => config[field] !== undefined && config[field] !== false)
    .map((field) => ({
      pointer: `/${field}`,
      code: 'quantized-change',
      message: `\`${field}\` changes the weights, and \`keep_quantized\` keeps the file that they are in`,
      help: 'leave out one of them; without `keep_quantized` the weights become float32',
    }));
}

const ofVocabulary = ['add_tokens', 'add_special_tokens', 'pad_vocabulary_to_multiple_of'] as const;

function checkTokens(config: LoadConfig): readonly ConfigProblem[] {
  const { model, init, add_tokens: tokens = [], add_special_tokens: special = [] } = config;
  if (init === undefined && (model === undefined || endpointName(model) !== undefined))
    return ofVocabulary
      .filter((field) => config[field] !== undefined)
      .map((field) => ({
        pointer: `/${field}`,
        code: 'unheeded-field',
        message: `\`${field}\` means something only where a model with weights is loaded or made`,
      }));
  if (init?.vocabulary_size !== undefined && config.pad_vocabulary_to_multiple_of !== undefined)
    return [
      {
        pointer: '/pad_vocabulary_to_multiple_of',
        code: 'two-sizes',
        message: '`init.vocabulary_size` already sets the number of rows',
        help: 'keep one of them',
      },
    ];
  return special.flatMap((token, index) =>
    tokens.includes(token)
      ? [
          {
            pointer: `/add_special_tokens/${index}`,
            code: 'token-twice',
            message: `\`${token}\` is in \`add_tokens\` too`,
            help: 'a token is special, or found in texts: keep one of them',
          },
        ]
      : [],
  );
}

function checkAddresses({
  records,
  data = {},
  model,
  init,
  adapter,
  adapters = {},
}: LoadConfig): readonly ConfigProblem[] {
  const sources: readonly (readonly [string, string | undefined])[] =
    records === undefined || typeof records === 'string'
      ? [['/records', records]]
      : records.map(({ path }, index) => [`/records/${index}/path`, path]);
  const places = [
    ...sources,
    ['/model', model] as const,
    ['/init/tokenizer', init?.tokenizer] as const,
    ['/adapter', adapter] as const,
    ...(typeof data === 'string' ? [['/data', data] as const] : []),
    ...Object.entries(typeof data === 'string' ? {} : data).map(
      ([split, source]) => [`/data/${split}`, source] as const,
    ),
    ...Object.entries(adapters).map(([name, source]) => [`/adapters/${name}`, source] as const),
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
  const wantsModel = pointer === '/model' || pointer.startsWith('/adapter');
  const name = source.replace(/^hf:(datasets\/)?/i, '');
  if (wantsModel && isDataset)
    return [
      {
        pointer,
        code: 'dataset-for-model',
        message: `\`${source}\` is a dataset, not a model`,
        help: `a model is hf:${name}`,
      },
    ];
  if (wantsModel || isDataset || name.includes(':')) return [];
  const help = /^\/(records|data)/.test(pointer)
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
