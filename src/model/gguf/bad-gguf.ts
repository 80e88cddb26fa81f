import { UserError } from '../../user-error.ts';

/** A file that does not hold to the format. */
export const badGguf = (path: string, what: string): UserError =>
  new UserError({
    code: 'bad-gguf',
    message: `${path} is not a valid GGUF file: ${what}`,
    help: 'the file may be cut short or written by something else; fetch or write it again',
  });

/** A file that holds to the format and says what is not supported here. */
export const unsupportedGguf = (path: string, what: string): UserError =>
  new UserError({
    code: 'unsupported-model',
    message: `${path} ${what}`,
    help: 'take a GGUF file of a Llama model, or the model’s folder in Hugging Face’s layout',
  });
