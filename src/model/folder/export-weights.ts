import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../core/index.ts';
import {
  encodeBfloat16,
  encodeFloat16,
  type TensorToWrite,
  tensorBytes,
  writeSafetensors,
} from '../../formats/index.ts';
import { familyOf, parameterLayout } from '../model-config.ts';
import type { ModelFolder } from './model-folder.ts';

type ExportType = 'float32' | 'float16' | 'bfloat16';

interface WeightsToExport {
  readonly model: ModelFolder;
  readonly type: ExportType;
  /** The most bytes of weights in one file; a tensor that is larger has a file of its own. */
  readonly shardBytes: number;
}

const storedTypes = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' } as const;

/** Writes config.json and the weights, in one file or in shards with an index, as transformers lays them out. */
export async function exportWeights(folder: string, weights: WeightsToExport): Promise<void> {
  const { model, type } = weights;
  const tensors = tensorsOf(weights);
  const shards = shardsOf(tensors, weights);
  const nameOf = (shard: number) =>
    shards.length === 1
      ? 'model.safetensors'
      : `model-${counter(shard + 1)}-of-${counter(shards.length)}.safetensors`;
  // transformers refuses a checkpoint whose metadata does not say `pt`.
  for (const [index, shard] of shards.entries())
    await writeSafetensors(join(folder, nameOf(index)), { tensors: shard, metadata: { format: 'pt' } });
  if (shards.length > 1) {
    const places = shards.flatMap((shard, index) => shard.map(({ name }) => [name, nameOf(index)] as const));
    const total_size = tensors.reduce((sum, { dtype, shape }) => sum + tensorBytes(dtype, shape), 0);
    await writeJson(join(folder, 'model.safetensors.index.json'), {
      metadata: { total_size },
      weight_map: Object.fromEntries(places),
    });
  }
  await writeJson(join(folder, 'config.json'), { ...withoutType(model.config.json), torch_dtype: type });
}

function tensorsOf({ model, type }: WeightsToExport): readonly TensorToWrite[] {
  const { aliases } = familyOf(model.config);
  return [...parameterLayout(model.config)].map(([name, { shape }]): TensorToWrite => {
    const stored = { name: aliases(name)[0] ?? name, shape };
    const dtype = storedTypes[type];
    switch (dtype) {
      case 'F32':
        return { ...stored, dtype, read: () => model.read(name) };
      case 'F16':
        return { ...stored, dtype, read: async () => encodeFloat16(await model.read(name)) };
      case 'BF16':
        return { ...stored, dtype, read: async () => encodeBfloat16(await model.read(name)) };
      default:
        return dtype satisfies never;
    }
  });
}

/** Tensors one after the other, a new file where the next would be too much. */
function shardsOf(
  tensors: readonly TensorToWrite[],
  { shardBytes }: WeightsToExport,
): readonly (readonly TensorToWrite[])[] {
  const shards: TensorToWrite[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const tensor of tensors) {
    const own = tensorBytes(tensor.dtype, tensor.shape);
    if (bytes + own > shardBytes) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)?.push(tensor);
    bytes += own;
  }
  return shards;
}

/** `dtype` is what transformers 5 writes, `torch_dtype` what every version reads. */
function withoutType(json: JsonObject): JsonObject {
  const { dtype: _, torch_dtype: __, ...others } = json;
  return others;
}

const counter = (index: number) => String(index).padStart(5, '0');

const writeJson = (path: string, value: object) =>
  writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);
