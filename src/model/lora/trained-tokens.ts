import { isList, isObject, type Json, UserError } from '../../core/index.ts';
import { familyOf, type ModelConfig, parameterLayout } from '../model-config.ts';

/** Ids of tokens whose rows an adapter brings along, by the name of the embedding or the head: PEFT's trainable tokens. */
export type TrainedTokens = ReadonlyMap<string, readonly number[]>;

/** The rows of a module: [n, C]. */
export interface TrainedRows {
  readonly ids: readonly number[];
  /** The parameter that the rows start as a part of. */
  readonly from: string;
  readonly shape: readonly [rows: number, width: number];
}

/** The embedding, and the head if that is not tied to it. */
export function tokenModules(config: ModelConfig): readonly string[] {
  const { head, embedding } = familyOf(config).tiedHead;
  return [embedding, ...(config.tied ? [] : [head])].map((name) => name.replace(/\.weight$/, ''));
}

/** The rows of tokens, by module. Throws a UserError if the adapter trains all rows of the module too. */
export function trainedRows(
  config: ModelConfig,
  { tokens, others }: { readonly tokens: TrainedTokens; readonly others: ReadonlySet<string> },
): ReadonlyMap<string, TrainedRows> {
  const layout = parameterLayout(config);
  return new Map(
    [...tokens].map(([module, ids]) => {
      if (others.has(module))
        throw new UserError({
          code: 'tokens-and-module',
          message: `\`trainable_tokens\` trains rows of \`${module}\`, and \`lora\` all of it`,
          help: 'leave out one of them, or the module in `lora.targets` and `lora.modules_to_save`',
        });
      const from = `${module}.weight`;
      const [size = 0, width = 0] = layout.get(from)?.shape ?? [];
      const beyond = ids.find((id) => id >= size);
      if (beyond !== undefined)
        throw new UserError({
          code: 'adapter-misfit',
          message: `the adapter trains the token ${beyond}, and the model has ${size}`,
          help: 'give the model the same tokens first: `add_tokens` and `add_special_tokens` in `load`',
        });
      return [module, { ids, from, shape: [ids.length, width] as const }];
    }),
  );
}

export const trainedRowsName = (module: string): string => `${module}.token_adapter.trainable_tokens_delta`;

/** Whether adapter_config.json's `trainable_token_indices` is a list, or a map of lists, of ids. */
export const isTrainedTokens = (value: Json | undefined): boolean =>
  isIds(value) || (isObject(value) && Object.values(value).every(isIds));

const isIds = (value: Json | undefined): boolean =>
  isList(value) &&
  value.every((id) => Number.isInteger(id) && Number(id) >= 0) &&
  new Set(value).size === value.length;

/** A list is for the embedding. A module is found by its name or the end of it. */
export function readTrainedTokens(value: Json | undefined, config: ModelConfig): TrainedTokens {
  if (value === undefined || value === null) return new Map();
  const [embedding = '', ...heads] = tokenModules(config);
  const listed: readonly (readonly [string, Json])[] = isObject(value)
    ? Object.entries(value)
    : [[embedding, value]];
  return new Map(
    listed.flatMap(([name, ids]) => {
      const found = [embedding, ...heads].find((module) => module === name || module.endsWith(`.${name}`));
      const isTiedHead = config.tied && familyOf(config).tiedHead.head.endsWith(`${name}.weight`);
      if (found === undefined && isTiedHead) return []; // the embedding's rows are the head's
      if (found === undefined)
        throw new UserError({
          code: 'unsupported-adapter',
          message: `the adapter trains tokens of \`${name}\`, which is neither the embedding nor the head`,
        });
      return isList(ids) && ids.length > 0 ? [[found, ids.map(Number)] as const] : [];
    }),
  );
}
