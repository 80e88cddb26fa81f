import { readLines } from '../../text/jsonl/read-lines.ts';
import { UserError } from '../../user-error.ts';

/** The error of a file that could not be decoded as a whole, with its first line that is not UTF-8. */
export async function notUtf8(path: string, cause: unknown): Promise<UserError> {
  try {
    for await (const _ of readLines(path));
  } catch (error) {
    if (error instanceof UserError) return error;
  }
  return new UserError({
    code: 'not-utf-8',
    message: `${path} is not UTF-8 text`,
    help: 'save it as UTF-8',
    cause,
  });
}
