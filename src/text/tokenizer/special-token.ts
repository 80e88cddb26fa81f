import { UserError } from '../../user-error.ts';

/** The refusal of a special token that a text was written with and this tokenizer does not have. */
export function noSpecialToken(token: string, vocabulary: string): UserError {
  return new UserError({
    code: 'no-special-token',
    message: `the text has the special token \`${token}\`, which the tokenizer (${vocabulary}) does not have`,
    help: 'tokenize with the tokenizer whose chat template the `format` stage was given',
  });
}
