import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isObject, UserError } from '../../core/index.ts';
import { openSafetensors, readJsonFile, type SafetensorsFile } from '../../formats/index.ts';

/** All tensors of a folder's checkpoint by name, with the files that hold them. */
export interface Shards extends AsyncDisposable {
  readonly tensors: ReadonlyMap<string, SafetensorsFile>;
}

/** Opens `model.safetensors`, or the files that `model.safetensors.index.json` lists. */
export async function openShards(folder: string): Promise<Shards> {
  const files: SafetensorsFile[] = [];
  const close = async () => void (await Promise.all(files.map((file) => file.close())));
  try {
    for (const name of await shardNames(folder)) files.push(await openShard(folder, name));
    const tensors = new Map<string, SafetensorsFile>();
    for (const file of files)
      for (const name of file.tensors.keys()) {
        const other = tensors.get(name);
        if (other !== undefined)
          throw new UserError({
            code: 'bad-model-folder',
            message: `the checkpoint in ${folder} has \`${name}\` in both ${other.path} and ${file.path}`,
          });
        tensors.set(name, file);
      }
    return { tensors, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openShard(folder: string, name: string): Promise<SafetensorsFile> {
  const path = join(folder, name);
  if (existsSync(path)) return openSafetensors(path);
  throw new UserError({
    code: 'bad-model-folder',
    message: `${folder} has no ${name}`,
    help: 'weights must be safetensors: convert files such as pytorch_model.bin first',
  });
}

async function shardNames(folder: string): Promise<readonly string[]> {
  const path = join(folder, 'model.safetensors.index.json');
  const index = await readJsonFile(path);
  if (index === undefined) return ['model.safetensors'];
  const names = [...new Set(Object.values(weightMap(index)))].sort();
  for (const name of names)
    if (typeof name !== 'string' || name !== basename(name) || !/^[^\\]+\.safetensors$/.test(name))
      throw new UserError({
        code: 'bad-model-folder',
        message: `${path} names the file ${JSON.stringify(name)}: the name of a .safetensors file without a folder is needed`,
      });
  return names as string[]; // checked just above
}

function weightMap(index: unknown): object {
  const map = isObject(index) ? index.weight_map : undefined;
  return isObject(map) ? map : {};
}
