import { openTokenizer } from '../../text/tokenizer/open-tokenizer.ts';
import { UserError } from '../../user-error.ts';

interface VocabularyToCheck {
  /** Where the model comes from, for messages. */
  readonly source: string;
  readonly tokenizerFolder: string;
  /** How many tokens the model knows. */
  readonly vocabularySize: number;
}

/** Throws where the tokenizer has more tokens than the model knows. */
export async function checkVocabulary({
  source,
  tokenizerFolder,
  vocabularySize,
}: VocabularyToCheck): Promise<void> {
  const tokenizer = await openTokenizer(tokenizerFolder);
  if (tokenizer.vocabularySize <= vocabularySize) return;
  throw new UserError({
    code: 'vocabulary-mismatch',
    message: `the tokenizer in ${source} has ${tokenizer.vocabularySize} tokens, its model ${vocabularySize}`,
    help: 'a model works only with the tokenizer that it was trained with',
  });
}
