import { chmod, copyFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportWeights } from '../../model/export/export-weights.ts';
import { openModelFolder } from '../../model/folder/open-model-folder.ts';
import { readJsonFile } from '../../model/json/read-json-file.ts';
import { parseMemory } from '../../runtime/config/quantity.ts';
import type { ExportOptions } from '../commands/export-command.ts';
import { UsageError } from '../usage-error.ts';
import { baseModelOf } from './base-model.ts';
import { exportTokenizer } from './export-tokenizer.ts';
import { modelCard } from './model-card.ts';
import type { ExportSource } from './open-export-source.ts';

interface Export {
  readonly source: ExportSource;
  readonly options: ExportOptions;
}

/** Fills a folder with a model, or its adapter, and all that it needs elsewhere. */
export async function writeExport(folder: string, { source, options }: Export): Promise<void> {
  if (await isThere(join(source.path, 'endpoint.json')))
    throw new UsageError({ message: 'a model behind an endpoint has no weights that could be exported' });
  const adapter = join(source.path, 'adapter');
  if (options.format !== 'hf' && !(await isThere(join(adapter, 'adapter_config.json'))))
    throw new UsageError({
      message: `the model has no adapter: it was not trained with LoRA`,
      help: 'export the whole model with --format hf',
    });
  await using model = await openModelFolder(source.path);
  if (options.format === 'peft') await exportAdapter(folder, { adapter, source, options });
  else {
    const shardBytes = parseSize(options.maxShardSize);
    await exportWeights(folder, { model, type: options.dtype, shardBytes });
    await writeJson(
      join(folder, 'generation_config.json'),
      await generationConfig(source.path, model.config.json),
    );
  }
  await exportTokenizer({ from: source.path, to: folder, config: model.config });
  await writeFile(join(folder, 'README.md'), await modelCard({ source, options, config: model.config }));
}

/** The files that PEFT wants; the adapter does not say whose it is, because a stage knows no names. */
async function exportAdapter(
  folder: string,
  { adapter, source, options }: Export & { readonly adapter: string },
): Promise<void> {
  if (options.dtype !== 'float32')
    throw new UsageError({ message: 'an adapter is exported in float32', help: 'leave out --dtype' });
  const config = await readJsonFile(join(adapter, 'adapter_config.json'));
  const base = options.base ?? (await baseModelOf(source)).repository ?? null;
  await writeJson(join(folder, 'adapter_config.json'), {
    ...(typeof config === 'object' ? config : {}),
    base_model_name_or_path: base,
  });
  const weights = join(folder, 'adapter_model.safetensors');
  await copyFile(join(adapter, 'adapter_model.safetensors'), weights);
  await chmod(weights, 0o644); // results in the store are read-only
}

/** The model's own, else what its config.json says of generation. */
async function generationConfig(path: string, config: Readonly<Record<string, unknown>>): Promise<object> {
  const own = await readJsonFile(join(path, 'generation_config.json'));
  if (typeof own === 'object' && own !== null) return own;
  const names = ['bos_token_id', 'eos_token_id', 'pad_token_id'];
  return Object.fromEntries(names.flatMap((name) => (config[name] == null ? [] : [[name, config[name]]])));
}

function parseSize(text: string): number {
  const bytes = parseMemory(text);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw new UsageError({ message: `\`${text}\` is no size`, help: 'write it as 5GB or 500MiB' });
}

const writeJson = (path: string, value: object) =>
  writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
