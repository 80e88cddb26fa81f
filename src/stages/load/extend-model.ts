import type { LoadConfig } from '../../generated/load-config.ts';
import { type ModelFolder, type ModelToWrite, resizedModel, writeNewTokens } from '../../model/index.ts';
import { extendTokenizer } from '../../text/index.ts';

/** What a `load` stage says of the vocabulary. */
export type VocabularyChange = Pick<
  LoadConfig,
  'add_tokens' | 'add_special_tokens' | 'pad_vocabulary_to_multiple_of'
>;

interface Extension extends VocabularyChange {
  /** Has the model's tokenizer, to which the tokens are added. */
  readonly folder: string;
  readonly onNote: (message: string) => void;
}

/** Adds tokens to the tokenizer in a folder. Undefined if there are none to add. */
export async function withTokens({ folder, onNote, ...change }: Extension) {
  const { add_tokens: tokens = [], add_special_tokens: special = [] } = change;
  if (tokens.length + special.length === 0) return undefined;
  const vocabulary = await extendTokenizer(folder, { tokens, special });
  if (vocabulary.known.length > 0)
    onNote(`the vocabulary already has ${shown(vocabulary.known)}: the embedding stays as it is`);
  return vocabulary;
}

/** The model with the tokens and rows that are asked for; undefined if it stays as it is. */
export async function withVocabulary(
  model: ModelToWrite & Pick<ModelFolder, 'path'>,
  extension: Extension,
): Promise<ModelToWrite | undefined> {
  const { folder, pad_vocabulary_to_multiple_of: multiple = 1 } = extension;
  const vocabulary = await withTokens(extension);
  const { vocabularySize } = model.config;
  const rows = Math.ceil(Math.max(vocabularySize, vocabulary?.size ?? 0) / multiple) * multiple;
  const added = vocabulary?.added ?? new Map<string, number>();
  if (rows === vocabularySize && added.size === 0) return undefined;
  if (added.size > 0) await writeNewTokens(folder, { rows: vocabularySize, ids: added });
  return resizedModel(model, { rows, ids: [...added.values()] });
}

const shown = (tokens: readonly string[]): string => {
  const few = tokens.slice(0, 5).map((token) => `\`${token}\``);
  return tokens.length > few.length
    ? `${few.join(', ')} and ${tokens.length - few.length} more`
    : few.join(', ');
};
