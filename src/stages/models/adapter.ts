import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
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

/**
 * Throws if an adapter is used on the model that `train` merged it into, where it would count twice. `adapter` is a folder
 * in PEFT's layout.
 */
export async function refuseMerged({
  model,
  adapter,
}: {
  readonly model: string;
  readonly adapter: string;
}): Promise<void> {
  const own = join(model, 'adapter');
  if (!isAdapterFolder(own)) return;
  const [first, second] = await Promise.all([own, adapter].map(weightsIn));
  if (first === undefined || second === undefined || !first.equals(second)) return;
  throw new UserError({
    code: 'merged-adapter',
    message: 'the model has this adapter merged into it already',
    help: 'use the adapter with its base, or the model without the adapter',
  });
}

/** Names an adapter by its content. */
export async function adapterDigest(path: string): Promise<string> {
  const folder = await adapterFolder(path);
  const hash = createHash('sha256').update(JSON.stringify(await readAdapterConfig(folder)));
  return hash.update((await weightsIn(folder)) ?? '').digest('hex');
}

const weightsIn = (folder: string): Promise<Buffer | undefined> =>
  readFile(join(folder, 'adapter_model.safetensors')).catch(() => undefined);

/** A base with an adapter, or as it is; `model` is the base's folder. Disposing of it leaves the base, which several adapters can share. */
export async function withAdapter(
  base: LocalModel,
  given: { readonly model: string; readonly adapter: string | undefined },
): Promise<LocalModel> {
  if (given.adapter === undefined) return { ...base, [Symbol.dispose]: () => {} };
  const folder = await adapterFolder(given.adapter);
  await refuseMerged({ model: given.model, adapter: folder });
  const adapter = await loadAdapter(base.model, folder);
  const adapted = adaptModel(base.model, adapter, { learns: false });
  return { ...base, model: adapted, [Symbol.dispose]: adapted.dispose };
}
