import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../core/index.ts';
import { adaptModel, isAdapterFolder, loadAdapter, readAdapterConfig } from '../../model/index.ts';
import type { LocalModel } from './local-model.ts';

/** The folder of an adapter: the given one, or the one inside a model that `train` wrote with `lora`. Throws if there is none. */
export async function adapterFolder(path: string): Promise<string> {
  const inside = join(path, 'adapter');
  const folder = !isAdapterFolder(path) && isAdapterFolder(inside) ? inside : path;
  await readAdapterConfig(folder);
  return folder;
}

/** A base with an adapter, or as it is. Disposing of it leaves the base, which several adapters can share. */
export async function withAdapter(base: LocalModel, path: string | undefined): Promise<LocalModel> {
  if (path === undefined) return { ...base, [Symbol.dispose]: () => {} };
  const adapted = adaptModel(base.model, await loadAdapter(base.model, await adapterFolder(path)));
  return { ...base, model: adapted, [Symbol.dispose]: adapted.dispose };
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
