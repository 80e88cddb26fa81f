import type { LoadConfig } from '../../generated/load-config.ts';
import type { ConfigProblem } from '../../runtime/index.ts';

const forRowsOnly = ['columns', 'quotes', 'field', 'id'] as const;
const forTasksOnly = ['data', 'num_fewshot'] as const;
const forBenchmarksOnly = ['split', 'tasks', ...forTasksOnly] as const;
/** Fields that mean nothing where no rows are loaded. */
export const forRecordsOnly = [...forRowsOnly, 'fields', 'limit', ...forBenchmarksOnly] as const;
/** What each of several sources says for itself, or cannot have. */
const forOneSource = [...forRecordsOnly, 'as'] as const;
const forBenchmarks: ReadonlySet<string> = new Set(forBenchmarksOnly);

/** Refuses fields that mean nothing to the way in which `records` are read. */
export function checkRecords(config: LoadConfig): readonly ConfigProblem[] {
  if (config.records !== undefined && typeof config.records !== 'string')
    return checkSources(config, config.records);
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

type Sources = Exclude<NonNullable<LoadConfig['records']>, string>;

function checkSources(config: LoadConfig, sources: Sources): readonly ConfigProblem[] {
  const names = sources.map(({ name }) => name);
  const isGiven = (field: (typeof forOneSource)[number] | 'type') =>
    field === 'type' ? config.type !== 'auto' : config[field] !== undefined;
  const misplaced = [...forOneSource, 'type' as const].filter(isGiven).map((field) => ({
    pointer: `/${field}`,
    code: 'unheeded-field',
    message: `\`${field}\` means nothing beside a list of sources`,
    help:
      field === 'as' || forBenchmarks.has(field)
        ? 'load a benchmark with a stage of its own, and join the stages with `concat`'
        : `write it at the source that it is for: { name: ..., path: ..., ${field}: ... }`,
  }));
  const repeated = names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [
          {
            pointer: `/records/${index}/name`,
            code: 'duplicate-name',
            message: `there is already a source \`${name}\``,
          },
        ],
  );
  return [...misplaced, ...repeated];
}
