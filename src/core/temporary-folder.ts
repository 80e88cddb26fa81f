import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from './user-error.ts';

/** Makes a new folder for temporary files, with a name that begins with `prefix`. Throws a UserError if it cannot be made. */
export async function newTemporaryFolder(prefix: string): Promise<string> {
  const parent = tmpdir();
  try {
    return await mkdtemp(join(parent, prefix));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split(',')[0] : String(cause);
    throw new UserError({
      code: 'no-temporary-folder',
      message: `the temporary folder ${parent} cannot be used: ${reason}`,
      help: 'set the environment variable TMPDIR to a folder that exists and can be written',
      cause,
    });
  }
}
