import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { makeFolders } from '../../core/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { type ExportOptions, openExportSource } from './export-source.ts';
import { writeExport } from './write-export.ts';

/** `tuneloom export`: writes a model as a folder that other programs load. */
export async function exportCommand({
  words,
  options,
  context,
}: CommandCall<ExportOptions>): Promise<ExitCode> {
  const { terminal, workingDirectory } = context;
  const { to, force = false } = options;
  if (to === undefined)
    throw new UsageError({
      message: '`--to` is missing',
      help: 'name the folder to write, as in --to my-model',
    });
  const source = await openExportSource({ words, options, context });
  if (source === undefined) return exitCode.badUsage;
  await using opened = source;
  const destination = resolve(workingDirectory, to);
  let notes: readonly string[] = [];
  const files = await replaceFolder({ destination, shown: to, force }, async (folder) => {
    notes = await writeExport(folder, { source: opened, options });
  });
  for (const note of notes) terminal.complain(`note: ${note}`);
  terminal.print(
    options.json
      ? JSON.stringify({ to: destination, format: options.format, dtype: options.dtype, files })
      : [`wrote ${to}`, ...files.map((file) => `  ${file}`)].join('\n'),
  );
  return exitCode.success;
}

interface Destination {
  /** Absolute. */
  readonly destination: string;
  /** As typed. */
  readonly shown: string;
  /** Whether an earlier export may be replaced. */
  readonly force: boolean;
}

/** The files of an export; a folder that contains anything else is never replaced. */
const exported =
  /^(README\.md|.*\.safetensors|chat_template\.jinja|merges\.txt|(config|generation_config|adapter_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|model\.safetensors\.index)\.json)$/;

/** Fills a folder beside the destination and moves it there in one step; returns the names of its files. */
async function replaceFolder(
  { destination, shown, force }: Destination,
  fill: (folder: string) => Promise<void>,
): Promise<readonly string[]> {
  await checkDestination({ destination, shown, force });
  await makeFolders(dirname(destination));
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

/** Whether there is an earlier export that may be replaced. Throws if there is anything that may not. */
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
    throw new UsageError({ message: `${shown} exists already`, help: 'replace it with --force' });
  return true;
}
