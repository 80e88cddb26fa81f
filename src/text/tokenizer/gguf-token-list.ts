import type { JsonObject } from '../../core/index.ts';
import type { AddedToken } from './added-tokens.ts';
import { type TokenizerKind, ggufTokenTypes as types, unwritable } from './gguf-tokenizer-kind.ts';
import { modelOf, type Vocabulary, vocabularyEntries, vocabularyOf } from './vocabulary.ts';

/** A vocabulary by id. */
interface TokenList {
  readonly names: readonly string[];
  readonly types: readonly number[];
  readonly vocabulary: Vocabulary;
  readonly notes: readonly string[];
}

/** The tokens of a model with so many embeddings; a row without a token gets a placeholder. */
export function listTokens(
  json: JsonObject,
  { rows, typeOf }: Pick<TokenizerKind, 'typeOf'> & { readonly rows: number },
): TokenList {
  const vocabulary = vocabularyOf(json);
  if (vocabulary.size > rows)
    throw unwritable(`it has ${vocabulary.size} tokens, but the model has ${rows} embeddings`);
  const names = Array.from({ length: rows }, (_, id) => `[PAD${id}]`);
  const kinds = Array.from({ length: rows }, () => types.unused);
  for (const [token, id] of vocabularyEntries(modelOf(json))) [names[id], kinds[id]] = [token, typeOf(token)];
  for (const token of vocabulary.added)
    [names[token.id], kinds[token.id]] = addedEntry(token, {
      typeOf,
      isOwn: kinds[token.id] !== types.unused,
    });
  const strips = vocabulary.added.filter(({ lstrip, rstrip, singleWord }) => lstrip || rstrip || singleWord);
  return {
    names,
    types: kinds,
    vocabulary,
    notes:
      strips.length === 0
        ? []
        : [
            `${strips.length} added tokens take the space around them (\`lstrip\`, \`rstrip\`, \`single_word\`), which llama.cpp does not`,
          ],
  };
}

/** An added token's name and type. Only marked text has the mark of a space, and llama.cpp finds tokens in text without marks. */
function addedEntry(
  { content, special, normalized }: AddedToken,
  { typeOf, isOwn }: Pick<TokenizerKind, 'typeOf'> & { readonly isOwn: boolean },
): readonly [name: string, type: number] {
  if (typeOf(content) === types.unknown) return [content, types.unknown];
  if (special) return [content, types.control];
  if (!content.includes('\u2581')) return [content, types.userDefined];
  return isOwn && !normalized
    ? [content, typeOf(content)]
    : [content.replaceAll('\u2581', ' '), types.userDefined];
}
