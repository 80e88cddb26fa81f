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

const storedTypes = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' } as const;

interface WeightsToExport {
  readonly model: ModelFolder;
  readonly type: keyof typeof storedTypes;
  /** The most bytes of weights in a shard; a larger tensor gets its own. */
  readonly shardBytes: number;
}

/** Writes config.json and the weights, in one file or in shards with an index, in transformers' layout. */
export async function exportWeights(folder: string, weights: WeightsToExport): Promise<void> {
  const { model, type } = weights;
  const tensors = tensorsOf(weights);
  const shards = shardsOf(tensors, weights);
  const nameOf = (shard: number) =>
    shards.length === 1
      ? 'model.safetensors'
      : `model-${counter(shard + 1)}-of-${counter(shards.length)}.safetensors`;
  // transformers requires the format `pt` in a checkpoint's metadata.
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

/** Tensors in order; a new shard starts when the next tensor would exceed the limit. */
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

/** transformers 5 writes `dtype`, but every version reads `torch_dtype`. */
function withoutType(json: JsonObject): JsonObject {
  const { dtype: _, torch_dtype: __, ...others } = json;
  return others;
}

const counter = (index: number) => String(index).padStart(5, '0');

const writeJson = (path: string, value: object) =>
  writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);
