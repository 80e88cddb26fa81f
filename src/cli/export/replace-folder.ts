import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UsageError } from '../usage-error.ts';

interface Destination {
  /** Absolute. */
  readonly destination: string;
  /** As it was typed. */
  readonly shown: string;
  /** Whether an earlier export may go. */
  readonly force: boolean;
}

/** What an export may have written; a folder with anything else in it is never replaced. */
const exported =
  /^(README\.md|.*\.safetensors|chat_template\.jinja|merges\.txt|(config|generation_config|adapter_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|model\.safetensors\.index)\.json)$/;

/** Lets a folder be filled beside its destination and puts it there in one step; gives the names of its files. */
export async function replaceFolder(
  { destination, shown, force }: Destination,
  fill: (folder: string) => Promise<void>,
): Promise<readonly string[]> {
  await checkDestination({ destination, shown, force });
  await mkdir(dirname(destination), { recursive: true });
  const work = await mkdtemp(join(dirname(destination), `.${basename(destination)}-`));
  try {
    const filled = join(work, 'new');
    await mkdir(filled);
    await fill(filled);
    const files = (await readdir(filled)).sort();
    const former = await checkDestination({ destination, shown, force });
    if (former) await rename(destination, join(work, 'old'));
    await rename(filled, destination);
    return files;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Whether something stands there that may be replaced. Throws where it may not. */
async function checkDestination({ destination, shown, force }: Destination): Promise<boolean> {
  const entries = await readdir(destination).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    if (error.code !== 'ENOTDIR') throw error;
    throw new UsageError({ message: `${shown} is a file`, help: 'name a folder that does not exist yet' });
  });
  if (entries === undefined) return false;
  const stranger = entries.sort().find((name) => !exported.test(name));
  if (stranger !== undefined)
    throw new UsageError({
      message: `${shown} holds \`${stranger}\`, which no export wrote`,
      help: 'name a folder that does not exist yet',
    });
  if (entries.length > 0 && !force)
    throw new UsageError({ message: `${shown} is there already`, help: 'write over it with --force' });
  return true;
}
