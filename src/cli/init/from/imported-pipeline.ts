import { canonicalJson, isList, isObject, type Json, type JsonObject } from '../../../core/index.ts';
import type { ImportedRun, ImportedSource } from './imported-run.ts';
import type { LeftField } from './translation.ts';

export interface ImportedPipeline {
  readonly pipeline: JsonObject;
  /** What the fields need besides that is not there. */
  readonly left: readonly LeftField[];
}

/** The pipeline of a run. Where there is no data, or nothing that can be trained, it ends before that. */
export function importedPipeline(run: ImportedRun, name: string): ImportedPipeline {
  const adapter =
    run.adapter === undefined ? {} : { adapter: { uses: 'load', with: { adapter: run.adapter } } };
  const base = { base: { uses: 'load', with: run.model }, ...adapter };
  const left: LeftField[] = [];
  const { validation } = run;
  const share = typeof validation === 'number' ? validation : undefined;
  const tests = typeof validation === 'object' ? validation : [];
  if (run.sources.length === 0) {
    left.push({
      field: 'data',
      value: null,
      advice: 'no data could be translated: add `load` and the stages after it',
    });
    return { pipeline: piped(name, base), left };
  }
  if (run.reach === 'load')
    return { pipeline: piped(name, { ...base, load: { uses: 'load', with: loaded(run.sources) } }), left };
  const data = dataStages(run, { sources: run.sources, suffix: '' });
  const split =
    share === undefined
      ? {}
      : {
          split: {
            from: data.last,
            with: { by: 'hash', parts: [{ train: rounded(1 - share) }, { validation: 'rest' }] },
          },
        };
  const last = share === undefined ? data.last : 'split';
  const held = tests.length === 0 ? undefined : dataStages(run, { sources: tests, suffix: '_validation' });
  const batches = batchStages({ from: last, suffix: '', collate: run.collate });
  const heldBatches =
    held === undefined ? {} : batchStages({ from: held.last, suffix: '_validation', collate: run.collate });
  const reference =
    share !== undefined ? 'collate.validation' : held === undefined ? undefined : 'collate_validation';
  const train = run.reach === 'collate' ? {} : trainStage(run.train, { share, reference, left });
  return {
    pipeline: piped(name, {
      ...base,
      ...data.stages,
      ...split,
      ...held?.stages,
      ...batches,
      ...heldBatches,
      ...train,
    }),
    left,
  };
}

const piped = (name: string, stages: JsonObject): JsonObject => ({
  name,
  stages: escaped(stages) as JsonObject,
}); // a map stays one

const rounded = (share: number): number => Number(share.toFixed(6));

/** In a pipeline `${` begins a parameter. */
function escaped(value: Json): Json {
  if (typeof value === 'string') return value.replaceAll('${', () => '$${');
  if (isList(value)) return value.map(escaped);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, escaped(item)]));
}

/** Stages that load and format sources: one for those of one format, or one each and a `concat`. */
function dataStages(
  { isDeduplicated }: ImportedRun,
  { sources, suffix }: { readonly sources: readonly ImportedSource[]; readonly suffix: string },
): { readonly stages: JsonObject; readonly last: string } {
  const groups = new Map<string, ImportedSource[]>();
  for (const source of sources) {
    const key = canonicalJson(source.format);
    groups.set(key, [...(groups.get(key) ?? []), source]);
  }
  const only = groups.size === 1;
  const stages: [string, JsonObject][] = [];
  const formats: { readonly name: string; readonly stage: string }[] = [];
  for (const group of groups.values()) {
    const [first] = group;
    if (first === undefined) continue;
    const id = only ? '' : `_${first.name}`;
    const [load, format] = [`load${id}${suffix}`, `format${id}${suffix}`];
    stages.push([load, { uses: 'load', with: loaded(group) }]);
    const filter = `filter${id}${suffix}`;
    if (isDeduplicated)
      stages.push([filter, { uses: 'filter', from: load, with: { rules: [{ unique: 'exact' }] } }]);
    const rows = isDeduplicated ? filter : load;
    const isChat = isChatFormat(first.format);
    stages.push([
      format,
      {
        uses: 'format',
        from: isChat ? { records: rows, tokenizer: 'base.tokenizer' } : rows,
        with: first.format,
      },
    ]);
    formats.push({ name: first.name, stage: format });
  }
  const [single] = formats;
  if (only && single !== undefined) return { stages: Object.fromEntries(stages), last: single.stage };
  const concat = `concat${suffix}`;
  stages.push([
    concat,
    {
      uses: 'concat',
      from: Object.fromEntries(formats.map(({ name, stage }) => [name, stage])),
      with: { sources: formats.map(({ name }) => ({ name })) },
    },
  ]);
  return { stages: Object.fromEntries(stages), last: concat };
}

const isChatFormat = ({ template }: JsonObject): boolean =>
  template === 'chat' || (isObject(template) && template.chat !== undefined);

function loaded(group: readonly ImportedSource[]): JsonObject {
  const [first, second] = group;
  if (first !== undefined && second === undefined && (first.weight ?? 1) === 1)
    return {
      records: first.path,
      ...(first.fields && { fields: first.fields }),
      ...(first.limit !== undefined && { limit: first.limit }),
    };
  return {
    records: group.map(({ name, path, fields, limit, weight }) => ({
      name,
      path,
      ...(fields && { fields }),
      ...(limit !== undefined && { limit }),
      ...(weight !== undefined && { weight }),
    })),
  };
}

function batchStages({
  from,
  suffix,
  collate,
}: {
  readonly from: string;
  readonly suffix: string;
  readonly collate: JsonObject;
}): JsonObject {
  return {
    [`tokenize${suffix}`]: { uses: 'tokenize', from: { records: from, tokenizer: 'base.tokenizer' } },
    [`collate${suffix}`]: { uses: 'collate', from: `tokenize${suffix}`, with: collate },
  };
}

interface TrainPlace {
  readonly share: number | undefined;
  /** The validation batches, if there are any. */
  readonly reference: string | undefined;
  readonly left: LeftField[];
}

function trainStage(config: JsonObject, { share, reference, left }: TrainPlace): JsonObject {
  const { early_stop: stop, keep, ...others } = config;
  const isChosen = reference === undefined && (stop !== undefined || keep === 'best');
  if (isChosen)
    left.push({
      field: stop === undefined ? 'load_best_model_at_end' : 'early_stopping_patience',
      value: stop ?? keep ?? null,
      advice: 'there is no validation data to measure: split it off with `split`, or load it',
    });
  return {
    train: {
      uses: 'train',
      from: {
        model: 'base',
        train: share === undefined ? 'collate' : 'collate.train',
        ...(config.lora === 'continue' && { adapter: 'adapter' }),
        ...(reference !== undefined && { validation: reference }),
      },
      with: {
        ...others,
        ...(reference !== undefined && stop !== undefined && { early_stop: stop }),
        ...(reference !== undefined && keep !== undefined && { keep }),
      },
    },
  };
}
