import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { makeFolders } from '../../core/index.ts';
import { hubPush, type Pushed } from '../../remote/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { type ExportOptions, isGguf, isGgufAdapter, plainType } from './export-options.ts';
import { openExportSource } from './export-source.ts';
import { writeExport } from './write-export.ts';

/** `tuneloom export`: writes a model as a folder that other programs load, and pushes it to the Hugging Face hub. */
export async function exportCommand({
  words,
  options,
  context,
}: CommandCall<ExportOptions>): Promise<ExitCode> {
  const { terminal, workingDirectory, environment } = context;
  const { to, push, force = false } = options;
  if (to === undefined && push === undefined)
    throw new UsageError({
      message: '`--to` is missing',
      help: 'name the folder to write, as in --to my-model, or a repository, as in --push hf:owner/name',
    });
  checkType(options);
  const visibility = options.public ? 'public' : 'private';
  const repository = push === undefined ? undefined : hubPush(push, { environment, visibility });
  const source = await openExportSource({ words, options, context });
  if (source === undefined) return exitCode.badUsage;
  await using opened = source;
  await using temporary = to === undefined ? await temporaryFolder() : undefined;
  const destination = resolve(workingDirectory, to ?? join(temporary?.path ?? '', 'model'));
  let notes: readonly string[] = [];
  const files = await replaceFolder({ destination, shown: to ?? destination, force }, async (folder) => {
    notes = await writeExport(folder, { source: opened, options });
  });
  for (const note of notes) terminal.complain(`note: ${note}`);
  const pushed = await repository?.upload(destination, files);
  if (pushed && !pushed.isNew && options.public)
    terminal.complain('note: the repository exists already: who may see it is unchanged');
  const { format, dtype } = options;
  const where = [...(to === undefined ? [] : [`wrote ${to}`]), ...(pushed ? [pushedWhere(pushed)] : [])];
  terminal.print(
    options.json
      ? JSON.stringify({
          ...(to && { to: destination }),
          ...(pushed && { pushed: pushed.url, sent: pushed.sent }),
          ...{ format, dtype, files },
        })
      : [where.join(', '), ...files.map((file) => `  ${file}`)].join('\n'),
  );
  return exitCode.success;
}

function pushedWhere({ url, sent }: Pushed): string {
  if (sent.length === 0) return `${url} holds all of it already`;
  return `pushed to ${url}`;
}

/** Refuses a type of weights that the format does not have. */
function checkType(options: ExportOptions): void {
  const { format, dtype } = options;
  if ((format === 'peft' || isGgufAdapter(format)) && dtype !== 'float32')
    throw new UsageError({ message: 'an adapter is exported in float32', help: 'leave out --dtype' });
  if (format === 'ollama-lora' && options.base === undefined)
    throw new UsageError({
      message: 'Ollama needs the model that the adapter belongs to',
      help: 'name it with --base, as Ollama does (llama3.2:1b) or by the path of its GGUF file from the folder of the export',
    });
  if (options.public && options.push === undefined)
    throw new UsageError({ message: '`--public` is for a repository', help: 'add --push hf:owner/name' });
  if (plainType(options) === undefined && !isGguf(format))
    throw new UsageError({
      message: `only a GGUF file stores weights in ${dtype}`,
      help: 'add --format gguf or --format ollama',
    });
}

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'tuneloom-export-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
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
  /^(README\.md|Modelfile|.*\.(safetensors|gguf)|chat_template\.jinja|additional_chat_templates|merges\.txt|(config|generation_config|adapter_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|model\.safetensors\.index)\.json)$/;

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
  if (entries.length === 0) return true;
  const isOurs = (await readFile(join(destination, 'README.md'), 'utf8').catch(() => '')).includes(
    'tuneloom',
  );
  const stranger = entries.sort().find((name) => !exported.test(name));
  if (stranger !== undefined || !isOurs)
    throw new UsageError({
      message: `${shown} holds ${stranger === undefined ? 'a model' : `\`${stranger}\``}, which no export wrote`,
      help: 'name a folder that does not exist yet',
    });
  if (!force) throw new UsageError({ message: `${shown} exists already`, help: 'replace it with --force' });
  return true;
}
