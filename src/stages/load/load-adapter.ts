import { existsSync } from 'node:fs';
import { constants, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/index.ts';
import { checkAdapter, checkAdapterConfig, isAdapterFolder } from '../../model/index.ts';
import { adapterFolder } from '../models/adapter.ts';

/** Copies an adapter after checking what can be checked without its base. */
export async function loadAdapterFolder(source: string, { path }: { readonly path: string }): Promise<void> {
  const folder = await adapterFolder(source);
  await checkAdapter(folder);
  for (const file of ['adapter_config.json', 'adapter_model.safetensors'])
    await copyFile(join(folder, file), join(path, file), constants.COPYFILE_FICLONE);
}

/** Throws a UserError if an adapter's configuration is not supported. Reads no weights. */
export async function inspectAdapter(path: string): Promise<void> {
  await checkAdapterConfig(await adapterFolder(path));
}

/** Throws if a model is asked for where there is an adapter alone. */
export function refuseAdapter(path: string): void {
  if (!isAdapterFolder(path) || existsSync(join(path, 'config.json'))) return;
  throw new UserError({
    code: 'adapter-for-model',
    message: `${path} holds an adapter, not a model`,
    help: 'load its base as `model` in one stage and the adapter as `adapter` in another; `generate` and `train` take both',
  });
}
